extension WinogradWeightGradient {
  /// Computes the gradient again by its definition: transformed tiles of F(6×6) reach a thousand times the data, and overflow
  /// where the gradient itself does not. Slow, and for hostile data only: needed if an element is infinite or NaN. Sums are in
  /// double precision; padding is zeros that take part, so that an infinite dy beside it gives NaN.
  static func computePlain(
    _ plan: WinogradPlan, _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
    _ target: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    let problem = plan.problem
    let (source, destination) = (plan.source, plan.destination)
    pool.run(tasks: problem.outputChannels) { k, _ in
      for channel in 0..<problem.inputChannels {
        for tap in 0..<9 {
          var sum = 0.0
          for image in 0..<problem.batch {
            let x = input + source.offset(image: image, channel: channel) + channel % source.block
            let dy = gradient + destination.offset(image: image, channel: k) + k % destination.block
            for p in 0..<destination.height {
              let row = p + tap / 3 - plan.before.height
              for q in 0..<destination.width {
                let column = q + tap % 3 - plan.before.width
                let isInside = row >= 0 && row < source.height && column >= 0 && column < source.width
                sum +=
                  Double(isInside ? x[row * source.rowStride + column * source.block] : 0)
                  * Double(dy[p * destination.rowStride + q * destination.block])
              }
            }
          }
          target[(k * problem.inputChannels + channel) * 9 + tap] = Float(sum)
        }
      }
    }
  }
}
