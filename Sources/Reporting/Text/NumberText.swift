import Foundation

/// Numbers as reports write them.
public enum NumberText {
  /// Every digit that tells a double apart from its neighbours.
  public static func exact(_ value: Double) -> String { "\(value)" }

  /// A distance in units in the last place. Beyond 2³² it says nothing more: between numbers of different magnitude, or from
  /// an expected zero, it counts the doubles or floats of whole binades.
  public static func ulps(_ value: Double) -> String { value > 0x1p32 ? "> 2^32" : short(value) }

  /// Three significant digits, for ratios and figures that are looked at, not copied.
  public static func short(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "∞" : "−∞" }
    if value == 0 { return "0" }
    let magnitude = abs(value)
    return magnitude >= 0.001 && magnitude < 100_000
      ? String(format: magnitude >= 100 ? "%.0f" : magnitude >= 1 ? "%.2f" : "%.3f", value)
      : String(format: "%.2e", value)
  }

  /// 25,557,032
  public static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    let groups = stride(from: digits.count % 3, through: digits.count, by: 3).map { end in
      String(digits[max(0, end - 3)..<end])
    }
    return (number < 0 ? "-" : "") + groups.filter { !$0.isEmpty }.joined(separator: ",")
  }

  /// Whole seconds, from a minute on with the minutes.
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
  }
}
