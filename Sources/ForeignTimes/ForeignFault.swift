import Results

/// What is wrong with another program's file, and where in it.
struct ForeignFault: Error {
  var place: String
  var expected: String
  var found: String

  init(_ place: String, expected: String, found: String) {
    self.place = place
    self.expected = expected
    self.found = found
  }

  var description: String {
    (place.isEmpty ? "" : "\(place.printable): ") + "expected \(expected), found \(found.printable)"
  }
}
