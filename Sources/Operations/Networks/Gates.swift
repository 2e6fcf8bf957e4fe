import Problems
import Tensors

/// The branches that a network takes, by the layer's name: which ReLUs are open and which elements win their max-pool window.
///
/// With the gates of one pass another pass is a smooth function of its input and parameters, so that its derivatives can
/// be compared although other roundings would decide a few gates differently.
public struct Gates: Sendable {
  private var byLayer: [String: Gate] = [:]

  public init() {}

  public subscript(layer: String) -> Gate? {
    get { byLayer[layer] }
    set { byLayer[layer] = newValue }
  }

  /// In the order of names.
  var layers: [String] { byLayer.keys.sorted() }
}
