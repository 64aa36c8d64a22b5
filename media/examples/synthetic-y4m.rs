//! Writes the synthetic picture as a Y4M film, for a browser's fake camera:
//! `synthetic-y4m FILE [WIDTHxHEIGHT@FPS [PICTURES]]`.

use std::{error::Error, fs::File, io::BufWriter};

use visita_media::source::{Choice, y4m};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: synthetic-y4m FILE [WIDTHxHEIGHT@FPS [PICTURES]]")?;
    let form = arguments.next().unwrap_or_else(|| "640x360@30".into());
    let pictures = arguments.next().map_or(Ok(300), |count| count.parse())?;
    let Choice::Synthetic(config) = format!("synthetic:{form}").parse()? else {
        return Ok(());
    };
    let mut file = BufWriter::new(File::create(path)?);
    Ok(y4m::write_synthetic(&mut file, config, pictures)?)
}
