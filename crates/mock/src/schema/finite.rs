//! How deep the shallowest value of each shape is, so that an answer to a schema that contains itself ends. Pure.

use super::Shape;

/// The depth of a shape that has no finite value.
pub(super) const NEVER: u32 = u32::MAX;

/// The depth of the shallowest value of each shape: 0 for one without parts.
pub(super) fn least_depths(shapes: &[Shape]) -> Vec<u32> {
    let mut depths = vec![NEVER; shapes.len()];
    // Each round settles at least one shape or is the last.
    for _ in 0..=shapes.len() {
        let next: Vec<u32> = shapes.iter().map(|shape| depth(shape, &depths)).collect();
        if next == depths {
            break;
        }
        depths = next;
    }
    depths
}

fn depth(shape: &Shape, depths: &[u32]) -> u32 {
    match shape {
        Shape::List { item, least, .. } if *least > 0 => depths[*item].saturating_add(1),
        Shape::Object(properties) => {
            let required = properties.iter().filter(|property| property.is_required);
            required.map(|property| depths[property.shape].saturating_add(1)).max().unwrap_or(0)
        }
        Shape::OneOf(branches) => {
            branches.iter().map(|branch| depths[*branch].saturating_add(1)).min().unwrap_or(NEVER)
        }
        Shape::Same(other) => depths[*other].saturating_add(1),
        _ => 0,
    }
}
