// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// The rectangle of a plot, and how values become places in it.
struct PlotFrame {
  /// The size of the picture in units of SVG; a page shows it as wide as there is room.
  static let width = 640.0
  let height: Double
  let left: Double
  let right = 16.0
  let top = 14.0
  let bottom: Double

  init(height: Double = 400, left: Double = 86, bottom: Double = 58) {
    self.height = height
    self.left = left
    self.bottom = bottom
  }

  var plotWidth: Double { Self.width - left - right }
  var plotHeight: Double { height - top - bottom }

  /// The place of a share of the width, 0 at the left.
  func x(_ share: Double) -> Double { left + share * plotWidth }
  /// The place of a share of the height, 0 at the bottom.
  func y(_ share: Double) -> Double { top + (1 - share) * plotHeight }

  /// A picture with a title and a description, for readers that do not see it.
  func picture(title: String, description: String, id: String, _ content: String) -> String {
    let size = "0 0 \(fixed(Self.width, 0)) \(fixed(height, 0))"
    return """
      <svg viewBox="\(size)" role="img" aria-labelledby="\(id)-t \(id)-d">
      <title id="\(id)-t">\(xmlText(title))</title>
      <desc id="\(id)-d">\(xmlText(description))</desc>
      \(content)</svg>

      """
  }

  /// A line across the plot at a share of its height, with a label at its left.
  func horizontal(_ share: Double, _ label: String) -> String {
    let y = place(self.y(share))
    return "<path class=\"grid\" d=\"M\(place(left)) \(y)H\(place(left + plotWidth))\"/>"
      + "<text x=\"\(place(left - 8))\" y=\"\(y)\" class=\"end middle\">\(xmlText(label))</text>\n"
  }

  /// A line up the plot at a share of its width, with a label below.
  func vertical(_ share: Double, _ label: String) -> String {
    let x = place(self.x(share))
    // A label in the middle of the last line would be cut off at the end of the picture.
    let anchor = share > 0.97 ? "end" : "centre"
    return "<path class=\"grid\" d=\"M\(x) \(place(top))V\(place(top + plotHeight))\"/>"
      + "<text x=\"\(share > 0.97 ? place(Self.width - 2) : x)\" y=\"\(place(top + plotHeight + 22))\" "
      + "class=\"\(anchor)\">\(xmlText(label))</text>\n"
  }

  /// What the horizontal axis shows.
  func caption(_ text: String) -> String {
    "<text x=\"\(place(left + plotWidth / 2))\" y=\"\(place(height - 8))\" class=\"centre\">"
      + "\(xmlText(text))</text>\n"
  }
}

/// A text that fits a label of so many characters; the whole is in the table beside the picture.
func label(_ text: String, _ most: Int = 20) -> String {
  text.count > most ? String(text.prefix(most - 1)) + "…" : text
}

/// A place in a picture, with one decimal.
func place(_ value: Double) -> String {
  let text = fixed(value, 1)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// A logarithmic axis of times.
struct TimeAxis {
  let low: Double
  let high: Double

  /// An axis that has all of some times in ns, ending at whole steps of 1, 2 and 5.
  init(_ times: some Sequence<Double>) {
    var (least, most) = (Double.infinity, 0.0)
    for time in times where time > 0 {
      least = min(least, time)
      most = max(most, time)
    }
    let steps = Self.steps
    let low = steps.last { $0 <= least } ?? steps[0]
    self.low = low
    high = steps.first { $0 >= most && $0 > low } ?? low * 10
  }

  /// 1, 2 and 5 ns and their multiples of ten, up to an hour and more.
  private static let steps: [Double] = {
    var steps: [Double] = []
    var decade = 1.0
    for _ in 0..<14 {
      steps += [decade, 2 * decade, 5 * decade]
      decade *= 10
    }
    return steps
  }()

  /// The share of the axis below a time.
  func share(_ time: Double) -> Double {
    min(1, max(0, log(max(time, low) / low) / log(high / low)))
  }

  /// The steps to label: at most about eight.
  var ticks: [Double] {
    let all = Self.steps.filter { $0 >= low && $0 <= high }
    if all.count <= 9 { return all }
    return all.filter { step in
      // Of more steps, the powers of ten.
      let digits = log10(step)
      return abs(digits - digits.rounded()) < 1e-9
    }
  }
}
