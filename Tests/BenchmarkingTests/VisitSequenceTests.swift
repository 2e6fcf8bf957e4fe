import Benchmarking
import Tensors
import Testing

@Suite struct VisitSequenceTests {
  @Test(arguments: [(fresh: [3], seen: [0], visits: 2), ([1, 4, 6], [0, 2, 3, 5, 7], 40), ([0, 1], [2], 2)])
  func eachFreshSetIsVisitedOnce(fresh: [Int], seen: [Int], visits: Int) {
    var generator = SplitMix64(seed: 5)
    let sequence = VisitSequence(fresh: fresh, seen: seen, visits: visits, using: &generator)
    #expect(sequence.sets.count == visits)
    for set in fresh { #expect(sequence.sets.count { $0 == set } == 1) }
    // A set is seen again when all the others were.
    let later = sequence.sets.filter { !fresh.contains($0) }
    for (place, set) in later.enumerated().dropFirst(seen.count) { #expect(set == later[place - seen.count]) }
    #expect(Set(later).isSubset(of: seen))
    let (first, again) = sequence.split(sequence.sets.map { UInt64($0) })
    #expect(Set(first) == Set(fresh.map { UInt64($0) }))
    #expect(again.map { Int($0) } == later)
  }

  /// Each part of a slice has its share of the fresh sets, and all parts together are the slice.
  @Test(arguments: [(fresh: 4, visits: 9, parts: 4), (8, 400, 8), (8, 21, 5), (3, 3, 1)])
  func partsShareTheFreshOnes(fresh: Int, visits: Int, parts: Int) {
    var generator = SplitMix64(seed: 3)
    let sequence = VisitSequence(
      fresh: Array(0..<fresh), seen: Array(100..<104), visits: visits, using: &generator)
    let found = (0..<parts).map { sequence.part($0, of: parts) }
    #expect(found.flatMap { $0 } == sequence.sets)
    for part in found {
      let count = part.count { $0 < fresh }
      #expect(abs(Double(count) - Double(fresh) / Double(parts)) < 1)
    }
  }

  @Test func theOrderIsDrawn() {
    var generator = SplitMix64(seed: 1)
    let orders = (0..<8).map { _ in
      VisitSequence(fresh: [0, 1, 2], seen: [3, 4, 5], visits: 12, using: &generator).sets
    }
    #expect(Set(orders).count > 1)
    var again = SplitMix64(seed: 1)
    #expect(VisitSequence(fresh: [0, 1, 2], seen: [3, 4, 5], visits: 12, using: &again).sets == orders[0])
  }
}

@Suite struct PartOrderTests {
  @Test(arguments: [
    ([], []), ([3], [0, 0, 0]), ([3, 3], [0, 1, 1, 0, 0, 1]), ([2, 2, 2], [0, 1, 2, 1, 2, 0]),
    // The only part of the second is made in the second of four rounds, which it begins; two of them in the first and the third.
    ([4, 1], [0, 1, 0, 0, 0]), ([4, 2], [0, 1, 0, 0, 1, 0]),
  ])
  func partsAlternate(parts: [Int], places: [Int]) { #expect(PartOrder.places(parts) == places) }

  @Test func eachHasItsParts() {
    var generator = SplitMix64(seed: 7)
    for _ in 0..<200 {
      let parts = (0..<Int.random(in: 1...6, using: &generator)).map { _ in Int.random(in: 1...8, using: &generator) }
      let places = PartOrder.places(parts)
      #expect(parts.indices.map { place in places.count { $0 == place } } == parts)
    }
  }
}

@Suite struct SlicePlanTests {
  /// Nanoseconds, bytes, and what follows from them.
  @Test(arguments: [
    // Small and fast: as many sets as pass 8 MiB, eight of them fresh, each in a part of its own.
    (own: 5e4, bytes: 250_000, most: 64, visits: 400, sets: 34, fresh: 8, parts: 8),
    // Large: twice as many as are fresh.
    (own: 5e5, bytes: 10 << 20, most: 64, visits: 40, sets: 16, fresh: 8, parts: 8),
    // Slow: half of the visits.
    (own: 5e6, bytes: 10 << 20, most: 64, visits: 4, sets: 4, fresh: 2, parts: 2),
    (own: 1e8, bytes: 10 << 20, most: 64, visits: 1, sets: 1, fresh: 1, parts: 1),
    // Nothing at all, and no memory.
    (own: 1, bytes: 0, most: 64, visits: 1_000, sets: 63, fresh: 8, parts: 1),
    (own: 1e6, bytes: 1 << 30, most: 2, visits: 20, sets: 1, fresh: 1, parts: 1),
  ])
  func slices(own: Double, bytes: Int, most: Int, visits: Int, sets: Int, fresh: Int, parts: Int) {
    let plan = SlicePlan(fastest: own, own: own, slice: 20e6, threads: 1, bytes: bytes, most: most)
    #expect((plan.visits, plan.sets, plan.fresh, plan.warmUps) == (visits, sets, fresh, 2))
    #expect(plan.parts == parts)
  }

  /// A slow contestant does no more than twenty slices' work, and threads are given time to spread.
  @Test func slowOnesAndThreads() {
    let slow = SlicePlan(fastest: 1e5, own: 1e8, slice: 20e6, threads: 1, bytes: 1_000, most: 64)
    #expect((slow.visits, slow.sets) == (4, 4))
    func spread(_ own: Double, threads: Int) -> [Int] {
      let plan = SlicePlan(fastest: own, own: own, slice: 20e6, threads: threads, bytes: 1_000, most: 64)
      return [plan.spreads, plan.warmUps]
    }
    #expect(spread(1e5, threads: 1) == [0, 2])
    #expect(spread(1e5, threads: 2) == [40, 2])
    #expect(spread(10, threads: 2) == [64, 2])
    #expect(spread(1e8, threads: 2) == [1, 2])
  }
}
