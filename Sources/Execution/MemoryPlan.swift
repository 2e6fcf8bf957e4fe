/// Which activations share memory: those of one layout whose lives do not meet.
///
/// Only activations of one layout share, since the zeros of a halo are written once and have to stay.
package struct MemoryPlan<Layout: Hashable & Sendable>: Sendable {
  /// When an activation is written, and the last step that reads it.
  package struct Life: Hashable, Sendable {
    package var written: Int
    package var lastRead: Int
    /// An activation that this one may replace while it is read, element by element: the residual of its step.
    package var replaces: Int?

    package init(written: Int, lastRead: Int, replaces: Int? = nil) {
      self.written = written
      self.lastRead = lastRead
      self.replaces = replaces
    }
  }

  /// The layout of each piece of memory.
  package private(set) var slots: [Layout] = []
  /// The piece of each activation.
  package private(set) var slotOf: [Int] = []

  /// - Parameters:
  ///   - layouts: of every activation.
  ///   - lives: likewise, in the order in which they are written.
  package init(_ layouts: [Layout], _ lives: [Life]) {
    /// The last step that reads what a slot holds.
    var busyUntil: [Int] = []
    for (layout, life) in zip(layouts, lives) {
      if let replaced = life.replaces, layouts[replaced] == layout, lives[replaced].lastRead == life.written,
        busyUntil[slotOf[replaced]] == life.written
      {
        slotOf.append(slotOf[replaced])
        busyUntil[slotOf[replaced]] = life.lastRead
        continue
      }
      // The one that was read last is the likeliest to be in a cache still.
      let free = slots.indices.filter { slots[$0] == layout && busyUntil[$0] < life.written }
      if let slot = free.max(by: { busyUntil[$0] < busyUntil[$1] }) {
        slotOf.append(slot)
        busyUntil[slot] = life.lastRead
      } else {
        slotOf.append(slots.count)
        slots.append(layout)
        busyUntil.append(life.lastRead)
      }
    }
  }
}
