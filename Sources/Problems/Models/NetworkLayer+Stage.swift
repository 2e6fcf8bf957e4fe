extension NetworkLayer {
  /// The part of a network that the layer belongs to, by its name: `stem`, `stage1` … `stage4`, `head`.
  public var stage: String {
    if name.hasPrefix("layer"), let digit = name.dropFirst(5).first, digit.isNumber { return "stage\(digit)" }
    return ["conv1", "bn1", "relu", "relu1", "maxpool"].contains(name) ? "stem" : "head"
  }
}
