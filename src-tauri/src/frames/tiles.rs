//! What the page shows, and whose picture goes to it next. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use visita_media::picture::Picture;
use visita_protocol::media::Size;

use super::Board;

/// More tiles than a page can show at once; what is over is refused, so that a broken page can't
/// fill the memory.
const MAX_TILES: usize = 64;

/// Whom the page shows at which size, in device pixels.
pub type Shown = BTreeMap<u32, Size>;

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Wish {
    /// Show this member at this size from now on.
    Show {
        /// Whom.
        member: u32,
        /// Columns of the tile, in device pixels.
        width: u16,
        /// Rows of the tile.
        height: u16,
    },
    /// This member isn't shown any more.
    Hide {
        /// Whom.
        member: u32,
    },
    /// The last picture of this member is painted; the next one may come.
    Painted {
        /// Whose.
        member: u32,
    },
}

/// The tiles of one page.
#[derive(Default)]
pub(super) struct Tiles {
    tiles: BTreeMap<u32, Tile>,
    /// Who was served last; the search for the next begins behind, so that nobody starves.
    last: u32,
}

struct Tile {
    size: Size,
    /// The number of the picture that was sent last.
    seen: u64,
    /// Whether the page can take a picture: it has painted the last one.
    free: bool,
}

impl Tiles {
    /// Does what the page wishes. Says whether what is shown changed.
    pub(super) fn wish(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::Show {
                member,
                width,
                height,
            } => {
                let size = Size::new(width, height);
                if let Some(tile) = self.tiles.get_mut(&member) {
                    let changed = tile.size != size;
                    tile.size = size;
                    return changed;
                }
                if self.tiles.len() == MAX_TILES {
                    return false;
                }
                self.tiles.insert(
                    member,
                    Tile {
                        size,
                        seen: 0,
                        free: true,
                    },
                );
                true
            }
            Wish::Hide { member } => self.tiles.remove(&member).is_some(),
            Wish::Painted { member } => {
                if let Some(tile) = self.tiles.get_mut(&member) {
                    tile.free = true;
                }
                false
            }
        }
    }

    /// What is shown now.
    pub(super) fn shown(&self) -> Shown {
        self.tiles
            .iter()
            .map(|(&member, tile)| (member, tile.size))
            .collect()
    }

    /// The picture to send next, with the size of its tile.
    pub(super) fn next(&mut self, board: &Board) -> Option<(u32, Size, Picture)> {
        let behind = self.last.saturating_add(1);
        let order: Vec<u32> = self
            .tiles
            .range(behind..)
            .chain(self.tiles.range(..behind))
            .map(|(&id, _)| id)
            .collect();
        for member in order {
            let Some(tile) = self.tiles.get_mut(&member) else {
                continue;
            };
            if !tile.free {
                continue;
            }
            if let Some((number, picture)) = board.newer(member, tile.seen) {
                tile.seen = number;
                tile.free = false;
                self.last = member;
                return Some((member, tile.size, picture));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use visita_media::picture::Draft;
    use visita_protocol::time::MediaTime;

    use super::*;

    fn picture(time: u64) -> Picture {
        Draft::filled(Size::new(2, 2), MediaTime(time), [16, 128, 128])
            .unwrap()
            .finish()
    }

    fn show(member: u32) -> Wish {
        Wish::Show {
            member,
            width: 320,
            height: 180,
        }
    }

    #[test]
    fn one_picture_for_each_tile_until_it_is_painted_and_then_the_newest() {
        let board = Board::default();
        let mut tiles = Tiles::default();
        assert!(tiles.wish(show(5)));
        assert!(!tiles.wish(show(5)));
        assert!(tiles.next(&board).is_none());
        board.put(5, picture(1));
        assert_eq!(tiles.next(&board).unwrap().2.time(), MediaTime(1));
        board.put(5, picture(2));
        board.put(5, picture(3));
        assert!(tiles.next(&board).is_none(), "the first isn't painted yet");
        tiles.wish(Wish::Painted { member: 5 });
        assert_eq!(tiles.next(&board).unwrap().2.time(), MediaTime(3));
        tiles.wish(Wish::Painted { member: 5 });
        assert!(tiles.next(&board).is_none(), "nothing new");
    }

    #[test]
    fn a_busy_member_starves_nobody_and_the_hidden_are_not_sent() {
        let board = Board::default();
        let mut tiles = Tiles::default();
        for member in [0, 3, 9] {
            tiles.wish(show(member));
            board.put(member, picture(1));
        }
        board.put(4, picture(1));
        let mut order = Vec::new();
        for time in 2..8 {
            let (member, ..) = tiles.next(&board).unwrap();
            order.push(member);
            tiles.wish(Wish::Painted { member });
            board.put(member, picture(time));
        }
        assert_eq!(order, [3, 9, 0, 3, 9, 0]);
        assert!(tiles.wish(Wish::Hide { member: 3 }));
        assert_eq!(tiles.shown().keys().copied().collect::<Vec<_>>(), [0, 9]);
        assert_ne!(tiles.next(&board).unwrap().0, 3);
    }

    #[test]
    fn a_picture_of_the_call_before_is_not_taken_for_seen() {
        let board = Board::default();
        let mut tiles = Tiles::default();
        tiles.wish(show(1));
        board.put(1, picture(1));
        assert!(tiles.next(&board).is_some());
        tiles.wish(Wish::Painted { member: 1 });
        board.clear();
        assert!(tiles.next(&board).is_none());
        board.put(1, picture(9));
        assert_eq!(tiles.next(&board).unwrap().2.time(), MediaTime(9));
    }

    #[test]
    fn a_broken_page_cannot_fill_the_memory() {
        let mut tiles = Tiles::default();
        for member in 0..1_000 {
            tiles.wish(show(member));
        }
        assert_eq!(tiles.shown().len(), MAX_TILES);
    }

    #[test]
    fn what_the_page_says_is_parsed_or_refused() {
        let parse = |text| serde_json::from_str::<Wish>(text).ok();
        assert_eq!(
            parse(r#"{"type":"show","member":7,"width":320,"height":180}"#),
            Some(Wish::Show {
                member: 7,
                width: 320,
                height: 180
            })
        );
        assert_eq!(
            parse(r#"{"type":"painted","member":7}"#),
            Some(Wish::Painted { member: 7 })
        );
        assert_eq!(
            parse(r#"{"type":"show","member":-1,"width":1,"height":1}"#),
            None
        );
        assert_eq!(parse(r#"{"type":"record","member":1}"#), None);
    }
}
