/// How one series looks: a colour of the Okabe–Ito palette and a shape.
struct SeriesStyle: Hashable {
  enum Shape: CaseIterable { case circle, square, triangle, diamond, inverted, hexagon }

  let color: String
  let shape: Shape

  static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#888888"]
  /// How many looks there are.
  static let count = colors.count * Shape.allCases.count

  /// - Parameter index: taken modulo ``count``; the first eight differ in colour, and neighbours in shape too.
  init(index: Int) {
    let place = index % Self.count
    color = Self.colors[place % Self.colors.count]
    // Every eight looks the shapes go on by one, so that each colour meets each shape.
    shape = Shape.allCases[(place + place / Self.colors.count) % Shape.allCases.count]
  }
}
