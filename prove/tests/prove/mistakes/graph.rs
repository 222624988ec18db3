//! Vectors that are added to a graph are found by it, from beside them: at themselves a search would begin.

use std::path::Path;

use blaze::{Collection, Document, Index, Metric, Vector};
use blaze_prove::random::Random;
use blaze_prove::{Finding, Result, shelves};

/// As many as make a graph worth the while, and those that come later.
const LOADED: u64 = 4_200;
const ADDED: u64 = 60;

const DIMENSION: usize = 6;

/// Far less than what is between two of them.
const BESIDE: f32 = 0.01;

pub(super) fn run(directory: &Path) -> Result<()> {
    let db = shelves::open(&directory.join("db"))?;
    let random = Random::of(&[1]);
    let index = || Index::vector("at", DIMENSION).metric(Metric::L2).named("at");
    let mut loader = db.load_collection::<Document>("points").ensure_index(index()).begin()?;
    for n in 0..LOADED {
        loader.insert_with_id(n as i64, &point(&random))?;
    }
    loader.finish()?;
    db.settle()?;
    let points = db.collection::<Document>("points")?;
    (0..ADDED).try_for_each(|n| find_itself(&points, n as i64))?; // by now there is a graph
    for n in LOADED..LOADED + ADDED {
        points.put(n as i64, &point(&random))?;
    }
    db.settle()?;
    (LOADED..LOADED + ADDED).try_for_each(|n| find_itself(&points, n as i64))?;
    Ok(db.close()?)
}

fn point(random: &Random) -> Document {
    let numbers: Vec<f32> = (0..DIMENSION).map(|_| random.below(10_000) as f32 / 100.0).collect();
    Document::new().with("at", Vector::from(numbers))
}

fn find_itself(points: &Collection<Document>, id: i64) -> Result<()> {
    let found = points.get(id)?.ok_or_else(|| Finding::new(format!("point {id} is gone")))?;
    let Some(blaze::Value::Vector(Vector::F32(at))) = found.value.get("at") else {
        return Err(Finding::new(format!("point {id} is nowhere")));
    };
    let beside: Vec<f32> = at.iter().map(|number| number + BESIDE).collect();
    let hits = points.search().nearest("at", &beside).limit(1).ids()?;
    match hits.first() {
        Some(hit) if hit.id == found.id => Ok(()),
        other => Err(Finding::new(format!("point {id} does not find itself, but {other:?}"))),
    }
}
