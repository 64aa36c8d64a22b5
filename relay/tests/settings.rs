//! docs/CONFIG.md says what the defaults are.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use visita_relay::Config;

#[test]
fn the_page_about_settings_shows_the_defaults() {
    let page = include_str!("../../docs/CONFIG.md");
    let block = page.split("```toml\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let said: Config = toml::from_str(block).unwrap();
    assert_eq!(format!("{said:#?}"), format!("{:#?}", Config::default()));
    // Whatever has a default is on the page, and not only right by being left out.
    let table: toml::Table = toml::from_str(block).unwrap();
    let limits = table["limits"].as_table().unwrap();
    let known = format!("{:?}", Config::default().limits)
        .matches(':')
        .count();
    assert_eq!(limits.len(), known, "a limit is missing on the page");
}
