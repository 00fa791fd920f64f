//! Prints `data/tokens.txt`. ECDSA and PSS are random: run it again and those lines are others, and as good.

use harness::{data, raw};

fn main() {
    for alg in data::ALGORITHMS {
        let header = format!(r#"{{"alg":"{alg}","kid":"{}","typ":"JWT"}}"#, data::KID);
        println!("{alg} {}", raw::compact(alg, &header, data::CLAIMS));
    }
}
