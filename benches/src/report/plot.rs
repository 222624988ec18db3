//! Plots as SVG. Colours come from the page's style sheet, so that they follow its light and dark mode.

use super::axis::{Axis, Layout};
use super::html::escape;

/// Lines over two axes.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// What is to be seen, for those who cannot see it.
    pub(super) description: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
}

/// The points of one engine.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Which colour and marker it has; the first line is drawn boldest and on top.
    pub(super) style: usize,
    pub(super) points: Vec<Dot>,
}

/// A point.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    /// From where to where rounds reached.
    pub(super) range: Option<(f64, f64)>,
    /// What is told about it when it is pointed at.
    pub(super) label: String,
}

/// How many colours the style sheet has; lines beyond them share one, and have another marker.
const COLOURS: usize = 8;
/// Markers of longer lines would touch: those have a few, in places that differ from line to line.
const MOST_MARKERS: usize = 24;
const FEW_MARKERS: usize = 6;

const WIDTH: f64 = 460.0;
const FRAME_HEIGHT: f64 = 210.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const BOTTOM: f64 = 40.0;
const LINE_HEIGHT: f64 = 18.0;
/// The width of a letter, about.
const LETTER: f64 = 6.4;

/// The rectangle that points are drawn in, with its axes.
struct Frame {
    top: f64,
    x: Layout,
    y: Layout,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let right = WIDTH - RIGHT;
        (LEFT + self.x.position(x) * (right - LEFT), self.bottom() - self.y.position(y) * FRAME_HEIGHT)
    }

    fn bottom(&self) -> f64 {
        self.top + FRAME_HEIGHT
    }
}

impl Plot {
    /// Leaves out what has no place on the axes; `None` when nothing remains.
    pub(super) fn drawable(mut self) -> Option<Plot> {
        let (x, y) = (self.x.scale, self.y.scale);
        for line in &mut self.lines {
            line.points.retain(|point| x.can_show(point.x) && y.can_show(point.y));
            for point in &mut line.points {
                point.range = point.range.filter(|(low, high)| y.can_show(*low) && y.can_show(*high) && low < high);
            }
        }
        self.lines.retain(|line| !line.points.is_empty());
        (!self.lines.is_empty()).then_some(self)
    }

    /// The plot as an SVG element whose title and description have ids that end in `id`.
    pub(super) fn to_svg(&self, id: usize) -> String {
        let (legend, legend_height) = self.legend();
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let heights = points().flat_map(|point| point.range.map_or([point.y; 2], |(low, high)| [low, high]));
        let x = self.x.scale.layout(points().map(|point| point.x), 5);
        let (Some(x), Some(y)) = (x, self.y.scale.layout(heights, 4)) else { return String::new() };
        let frame = Frame { top: LINE_HEIGHT + legend_height + 12.0, x, y };
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-labelledby=\"title-{id} about-{id}\">\
             <title id=\"title-{id}\">{}</title><desc id=\"about-{id}\">{}</desc>",
            frame.bottom() + BOTTOM,
            escape(&self.title),
            escape(&self.description),
        );
        svg += &legend;
        svg += &self.axes(&frame);
        for line in self.lines.iter().rev() {
            svg += &line.draw(&frame);
        }
        svg + "</svg>\n"
    }

    /// The names of the lines, under the name of the vertical axis, and the height that they take.
    fn legend(&self) -> (String, f64) {
        let mut svg = format!("<text class=\"axis\" x=\"0\" y=\"13\">{}</text>", escape(&self.y.name));
        let (mut x, mut y) = (0.0, LINE_HEIGHT);
        for line in &self.lines {
            let width = 20.0 + line.name.chars().count() as f64 * LETTER + 10.0;
            if x > 0.0 && x + width > WIDTH {
                x = 0.0;
                y += LINE_HEIGHT;
            }
            svg += &format!(
                "<g class=\"{}\">{}<text x=\"{:.0}\" y=\"{:.0}\">{}</text></g>",
                line.classes(),
                marker(line.style, x + 7.0, y + 9.0, ""),
                x + 17.0,
                y + 13.0,
                escape(&line.name)
            );
            x += width;
        }
        (svg, y)
    }

    fn axes(&self, frame: &Frame) -> String {
        let (left, right, bottom) = (LEFT, WIDTH - RIGHT, frame.bottom());
        let mut svg = String::new();
        for tick in &frame.y.ticks {
            let y = bottom - frame.y.position(*tick) * FRAME_HEIGHT;
            svg += &format!(
                "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/><text class=\"tick end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                left - 6.0,
                y + 4.0,
                escape(&(self.y.label)(*tick))
            );
        }
        for tick in &frame.x.ticks {
            let x = left + frame.x.position(*tick) * (right - left);
            svg += &format!(
                "<path class=\"grid\" d=\"M{x:.1} {bottom:.1}v4\"/><text class=\"tick middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 17.0,
                escape(&(self.x.label)(*tick))
            );
        }
        svg + &format!(
            "<path class=\"base\" d=\"M{left} {bottom:.1}H{right}\"/><text class=\"axis end\" x=\"{right}\" y=\"{:.1}\">{}</text>",
            bottom + 34.0,
            escape(&self.x.name)
        )
    }
}

impl Line {
    fn draw(&self, frame: &Frame) -> String {
        let mut svg = format!("<g class=\"{}\"><polyline points=\"", self.classes());
        for point in &self.points {
            let (x, y) = frame.at(point.x, point.y);
            svg += &format!("{x:.1},{y:.1} ");
        }
        svg += "\"/>";
        for (index, point) in self.points.iter().enumerate() {
            let (x, y) = frame.at(point.x, point.y);
            if let Some((low, high)) = point.range {
                let (low, high) = (frame.at(point.x, low).1, frame.at(point.x, high).1);
                svg += &format!("<path class=\"range\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>");
            }
            if self.has_marker(index) {
                svg += &marker(self.style, x, y, &point.label);
            } else {
                svg += &format!(
                    "<circle class=\"hidden\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
                    escape(&point.label)
                );
            }
        }
        svg + "</g>"
    }

    fn has_marker(&self, index: usize) -> bool {
        let between = (self.points.len() / FEW_MARKERS).max(1);
        let first = between * (self.style % COLOURS) / COLOURS;
        self.points.len() <= MOST_MARKERS || index % between == first
    }

    fn classes(&self) -> String {
        let first = if self.style == 0 { " first" } else { "" };
        format!("line colour-{}{first}", self.style % COLOURS)
    }
}

/// A shape around a place, another one for each style.
fn marker(style: usize, x: f64, y: f64, label: &str) -> String {
    const SHAPES: [&str; 8] = [
        "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",              // circle
        "m-4 -4h8v8h-8z",                                             // square
        "m0 -5l5 9h-10z",                                             // triangle
        "m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",                        // diamond
        "m0 5l5 -9h-10z",                                             // triangle on its tip
        "m-1.7 -5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z", // plus
        "m0 -5.5l5.2 3.8l-2 6.1h-6.4l-2 -6.1z",                       // pentagon
        "m-5 -2.5h10v5h-10z",                                         // bar
    ];
    let title = if label.is_empty() { String::new() } else { format!("<title>{}</title>", escape(label)) };
    format!("<path class=\"marker\" d=\"M{x:.1} {y:.1}{}\">{title}</path>", SHAPES[style % SHAPES.len()])
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::super::figure::short;
    use super::*;

    type Named<'a> = (&'a str, &'a [(f64, f64)]);

    fn plot(scale: Scale, lines: &[Named<'_>]) -> Plot {
        let dot = |(x, y): &(f64, f64)| Dot { x: *x, y: *y, range: None, label: format!("{x} and {y}") };
        let line = |(style, (name, points)): (usize, &Named<'_>)| Line {
            name: (*name).to_owned(),
            style,
            points: points.iter().map(dot).collect(),
        };
        let axis = |name: &str| Axis { name: name.to_owned(), scale, label: short };
        Plot {
            title: "title".to_owned(),
            description: "about".to_owned(),
            x: axis("across"),
            y: axis("up"),
            lines: lines.iter().enumerate().map(line).collect(),
        }
    }

    /// All coordinates of the polylines.
    fn places(svg: &str) -> Vec<(f64, f64)> {
        let lines = svg.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let pairs = lines.flat_map(str::split_whitespace).map(|pair| pair.split_once(',').unwrap());
        pairs.map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).collect()
    }

    #[test]
    fn greater_values_lie_further_right_and_higher_and_all_inside() {
        let svg = plot(Scale::Linear, &[("one", &[(1.0, 10.0), (2.0, 30.0), (4.0, 35.0)])]).to_svg(1);
        let places = places(&svg);
        assert!(places.is_sorted_by(|one, next| one.0 < next.0 && one.1 > next.1), "{places:?}");
        assert!(places.iter().all(|(x, y)| (LEFT..=WIDTH - RIGHT).contains(x) && *y > 0.0 && *y < 260.0));
        assert!(svg.contains("<title>2 and 30</title>"));
    }

    #[test]
    fn what_has_no_place_on_the_axes_is_left_out() {
        let odd: &[(f64, f64)] = &[(1.0, 0.0), (2.0, f64::NAN), (3.0, 5.0)];
        let drawn = plot(Scale::Logarithmic, &[("odd", odd), ("empty", &[])]).drawable().unwrap();
        assert_eq!((drawn.lines.len(), drawn.lines[0].points.len()), (1, 1));
        assert!(!drawn.to_svg(1).contains("NaN"));
        assert!(plot(Scale::Logarithmic, &[("none", &[(1.0, 0.0)])]).drawable().is_none());
    }

    #[test]
    fn names_are_escaped_and_long_legends_wrap() {
        let point: &[(f64, f64)] = &[(1.0, 1.0)];
        let name = "a <rather> long name & more";
        let svg = plot(Scale::Steps, &[(name, point), (name, point), (name, point)]).to_svg(1);
        assert_eq!(svg.matches("a &lt;rather&gt; long name &amp; more").count(), 3);
        assert!(svg.contains(&format!("y=\"{:.0}\"", 2.0 * LINE_HEIGHT + 13.0)));
    }

    #[test]
    fn a_long_line_has_few_markers_but_still_tells_all_of_its_points() {
        let points: Vec<(f64, f64)> = (0..100).map(|x| (f64::from(x), 1.0)).collect();
        let svg = plot(Scale::Linear, &[("long", &points)]).to_svg(1);
        let markers = svg.matches("class=\"marker\"").count() - 1; // one is in the legend
        assert!((FEW_MARKERS..=FEW_MARKERS + 1).contains(&markers), "{markers}");
        assert_eq!(svg.matches("class=\"hidden\"").count(), 100 - markers);
        assert_eq!(svg.matches("<title>").count(), 100);
    }
}
