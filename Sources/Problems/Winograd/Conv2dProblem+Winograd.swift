extension Conv2dProblem {
  /// Why F(m×m, 3×3) does not compute this problem; nil where it does.
  public var winogradObstacle: String? {
    if kernelSize != 3 { return "winograd needs a 3×3 kernel, found \(kernelSize.height)×\(kernelSize.width)" }
    if stride != 1 { return "winograd needs stride 1, found \(stride)" }
    if dilation != 1 { return "winograd needs dilation 1, found \(dilation)" }
    if groups != 1 { return "winograd needs one group, found \(groups)" }
    return nil
  }
}
