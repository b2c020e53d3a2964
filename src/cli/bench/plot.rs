//! Time against length as a drawing, both on logarithmic scales: what runs beside the dashed line is time in proportion.

use super::length::{Curve, length};
use std::fmt::Write;

/// All curves in one SVG; the steepest stands out and is named.
pub(super) fn svg(curves: &[Curve]) -> String {
    let bytes = || curves.iter().flat_map(|c| c.bytes.iter().map(|b| *b as f64));
    let seconds = || curves.iter().flat_map(|c| c.seconds.iter().copied());
    let frame = Frame { x: Scale::over(bytes()), y: Scale::over(seconds()) };
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<title>Time against length of hostile texts</title>\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    frame.draw_axes(&mut drawn);
    let steepest = curves.iter().max_by(|a, b| a.growth.total_cmp(&b.growth));
    for curve in curves {
        frame.draw(&mut drawn, curve, "#9ab", 1.0);
    }
    if let Some(curve) = steepest {
        frame.draw(&mut drawn, curve, "#c00", 2.5);
        let _infallible = writeln!(
            drawn,
            "<text x=\"{LEFT}\" y=\"20\" fill=\"#c00\">steepest: {}, a byte takes {} times as long in the longest text</text>",
            curve.name, curve.growth
        );
    }
    drawn + "</svg>\n"
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 80.0;
const BOTTOM: f64 = 470.0;
const RIGHT: f64 = 720.0;
const TOP: f64 = 40.0;

/// Whole decades around some values.
struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values
            .filter(|v| *v > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
        if most <= 0.0 {
            return Self { from: 0, to: 1 };
        }
        let from = decade(least.log10().floor());
        // A text is a few bytes longer than asked: that is no new decade.
        Self { from, to: decade((most.log10() - 0.05).ceil()).max(from + 1) }
    }

    /// Where a value stands, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value.max(f64::MIN_POSITIVE).log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.from..=self.to).map(|n| 10_f64.powi(n))
    }
}

fn decade(exponent: f64) -> i32 {
    exponent as i32
}

struct Frame {
    x: Scale,
    y: Scale,
}

impl Frame {
    fn x(&self, bytes: f64) -> f64 {
        LEFT + self.x.place(bytes) * (RIGHT - LEFT)
    }

    fn y(&self, seconds: f64) -> f64 {
        BOTTOM - self.y.place(seconds) * (BOTTOM - TOP)
    }

    fn draw(&self, drawn: &mut String, curve: &Curve, colour: &str, width: f64) {
        let points: Vec<String> = curve
            .bytes
            .iter()
            .zip(&curve.seconds)
            .map(|(bytes, seconds)| format!("{:.1},{:.1}", self.x(*bytes as f64), self.y(*seconds)))
            .collect();
        let _infallible = writeln!(
            drawn,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"><title>{}</title></polyline>",
            points.join(" "),
            curve.name
        );
    }

    /// The line of time in proportion, from the lower left corner.
    fn draw_proportion(&self, drawn: &mut String) {
        let decades = (self.x.to - self.x.from).min(self.y.to - self.y.from);
        let end = |scale: &Scale| 10_f64.powi(scale.from + decades);
        let (x, y) = (self.x(end(&self.x)), self.y(end(&self.y)));
        let _infallible = writeln!(
            drawn,
            "<line x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{x:.1}\" y2=\"{y:.1}\" stroke=\"#555\" stroke-dasharray=\"6 4\"/>"
        );
    }

    fn draw_axes(&self, drawn: &mut String) {
        let mut line = |x1: f64, y1: f64, x2: f64, y2: f64| {
            let _infallible = writeln!(
                drawn,
                "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
            );
        };
        self.x.decades().for_each(|bytes| line(self.x(bytes), TOP, self.x(bytes), BOTTOM));
        self.y.decades().for_each(|seconds| line(LEFT, self.y(seconds), RIGHT, self.y(seconds)));
        self.draw_proportion(drawn);
        for bytes in self.x.decades() {
            let (x, y) = (self.x(bytes), BOTTOM + 20.0);
            let name = length(bytes as usize);
            let _infallible =
                writeln!(drawn, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{name}</text>");
        }
        for seconds in self.y.decades() {
            let (x, y) = (LEFT - 6.0, self.y(seconds) + 4.0);
            let name = time(seconds);
            let _infallible =
                writeln!(drawn, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{name}</text>");
        }
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 0.999 => format!("{s:.0} s"),
        s if s >= 0.000_999 => format!("{:.0} ms", s * 1e3),
        s => format!("{} µs", super::rounded(s * 1e6, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_runs_over_whole_decades() {
        let scale = Scale::over([20.0, 9_000.0].into_iter());
        assert_eq!(scale.decades().collect::<Vec<_>>(), [10.0, 100.0, 1_000.0, 10_000.0]);
        assert!((scale.place(100.0) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(Scale::over(std::iter::empty()).decades().count(), 2);
        assert_eq!([0.000_01, 0.001, 10.0].map(time), ["10 µs", "1 ms", "10 s"]);
    }
}
