import NetworkFiles
import Problems
import Operations
import Tensors

/// Some rows of a data file as a network takes them, made batch by batch: the whole set exists once, as the file has it.
struct PreparedImages: ImageSource {
  let file: ImagesFile
  /// Row numbers in the file.
  let rows: [Int]
  private let preparation: ImagePreparation

  /// - Throws: ``ProblemError`` when the network cannot take such images.
  init(
    _ file: ImagesFile, rows: [Int], normalization: ImageNormalization?, for architecture: ResNetArchitecture
  ) throws(ProblemError) {
    self.file = file
    self.rows = rows
    let shape = Shape(Array(file.pixels.shape.dimensions.dropFirst()))
    preparation = try ImagePreparation(shape, scale: file.scale, normalization: normalization, for: architecture)
  }

  var count: Int { rows.count }
  var imageShape: Shape { preparation.imageShape }
  var enlargement: Int { preparation.enlargement }
  var labels: Tensor<Int64> { Tensor(shape: [count], elements: rows.map { file.labels.elements[$0] }) }

  func batch(_ positions: [Int]) throws(ProblemError) -> LabelledImages<Float> {
    let chosen = positions.map { rows[$0] }
    return LabelledImages(
      images: try preparation.prepare(file.pixels.images(chosen)),
      labels: Tensor(shape: [chosen.count], elements: chosen.map { file.labels.elements[$0] }))
  }
}
