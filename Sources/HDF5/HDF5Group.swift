import CHDF5

/// A group of an open file.
///
/// Members are reached through hard links alone: a soft, external or user-defined link on the way is an error, never
/// followed. All methods throw ``HDF5Error`` naming the object's path.
public struct HDF5Group: HDF5Object {
  public let location: HDF5Location

  /// All links of the group, in the order of their names, with nothing opened.
  public func links() throws(HDF5Error) -> [HDF5Link] {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var visit = LinkVisit(limit: location.limits.maximumEntries)
    let status = withUnsafeMutablePointer(to: &visit) { pointer in
      assay_h5_visit_links(
        location.id,
        { name, kind, context in
          guard let name, let context else { return -1 }
          return context.assumingMemoryBound(to: LinkVisit.self).pointee.add(name, kind)
        }, pointer)
    }
    if let problem = visit.problem {
      throw location.error(.damaged, expected: "names of links", found: problem, advice: "the file seems damaged")
    }
    guard status >= 0 else { throw location.failure(expected: "a readable group") }
    return visit.links
  }

  /// The member of this name; a path with slashes goes down from here.
  public func member(_ path: String) throws(HDF5Error) -> HDF5Node {
    guard let found = try memberIfPresent(path) else {
      throw location.error(
        .missing, object: location.path(of: path), expected: "a group or dataset", found: "no object of this name",
        advice: "`h5ls -r` lists what the file holds")
    }
    return found
  }

  /// The member of this name, or nil when there is none.
  public func memberIfPresent(_ path: String) throws(HDF5Error) -> HDF5Node? {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var node = HDF5Node.group(self)
    for component in Self.components(of: path) {
      guard case .group(let group) = node, let next = try group.child(component) else { return nil }
      node = next
    }
    return node
  }

  public func group(_ path: String) throws(HDF5Error) -> HDF5Group {
    switch try member(path) {
    case .group(let group): return group
    case .dataset: throw wrongKind(path, expected: "a group", found: "a dataset")
    case .other: throw wrongKind(path, expected: "a group", found: "a committed datatype")
    }
  }

  public func dataset(_ path: String) throws(HDF5Error) -> HDF5Dataset {
    switch try member(path) {
    case .dataset(let dataset): return dataset
    case .group: throw wrongKind(path, expected: "a dataset", found: "a group")
    case .other: throw wrongKind(path, expected: "a dataset", found: "a committed datatype")
    }
  }

  /// Makes a group; with slashes in the name, the groups on the way as well where they are missing.
  public func createGroup(_ path: String) throws(HDF5Error) -> HDF5Group {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var group = self
    let components = Self.components(of: path)
    for (index, component) in components.enumerated() {
      if index < components.count - 1, case .group(let present)? = try group.child(component) {
        group = present
        continue
      }
      let object = group.location.path(of: component)
      let list = try location.own(
        H5Pcreate(assay_h5_group_create_class()), .propertyList, expected: "a property list", object: object)
      guard H5Pset_obj_track_times(list.id, false) >= 0 else {
        throw location.failure(.cannotWrite, object: object, expected: "a group without times")
      }
      let id = H5Gcreate2(
        group.location.id, component, assay_h5_default_list(), list.id, assay_h5_default_list())
      guard let handle = HDF5Handle(id, .group) else {
        throw location.failure(
          .cannotWrite, object: object, expected: "a new group",
          advice: "check that the name is not in use and the file open for writing")
      }
      group = HDF5Group(location: group.location.member(component, handle))
    }
    return group
  }

  /// The names on a path. Slashes are bytes: one that a combining mark follows is no character of its own to Swift.
  private static func components(of path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
  }

  /// One step down, through a hard link only; nil when there is no such name. To be called under the lock.
  private func child(_ name: String) throws(HDF5Error) -> HDF5Node? {
    let object = location.path(of: name)
    let exists = H5Lexists(location.id, name, assay_h5_default_list())
    guard exists >= 0 else { throw location.failure(object: object, expected: "a readable group") }
    guard exists > 0 else { return nil }
    var kind: Int32 = 0
    guard assay_h5_link_kind(location.id, name, &kind) >= 0 else {
      throw location.failure(object: object, expected: "a readable link")
    }
    let link = HDF5Link.Kind(libraryValue: kind)
    guard link == .hard else {
      throw location.error(
        .refused, object: object, expected: "a hard link", found: "a \(link)",
        advice: "store the object itself; links that lead elsewhere are not followed")
    }
    let handle = try location.own(
      H5Oopen(location.id, name, assay_h5_default_list()), .object, expected: "a readable object", object: object)
    let place = location.member(name, handle)
    switch H5Iget_type(handle.id) {
    case H5I_GROUP: return .group(HDF5Group(location: place))
    case H5I_DATASET: return .dataset(HDF5Dataset(location: place))
    default: return .other(path: object)
    }
  }

  private func wrongKind(_ path: String, expected: String, found: String) -> HDF5Error {
    location.error(.wrongType, object: location.path(of: path), expected: expected, found: found, advice: "")
  }
}

/// Collects links while libhdf5 iterates; a negative answer stops it.
private struct LinkVisit {
  let limit: Int
  var links: [HDF5Link] = []
  var problem: String?

  mutating func add(_ bytes: UnsafePointer<CChar>, _ kind: Int32) -> Int32 {
    guard let name = String(validatingCString: bytes) else {
      problem = "a name that is not UTF-8"
      return -1
    }
    // A name with a slash would be taken for a path when it is opened, and "." for the group itself.
    guard !name.isEmpty, name != ".", !name.utf8.contains(UInt8(ascii: "/")) else {
      problem = "the name \"\(name)\""
      return -1
    }
    guard links.count < limit else {
      problem = "more than \(limit) links"
      return -1
    }
    links.append(HDF5Link(name: name, kind: HDF5Link.Kind(libraryValue: kind)))
    return 0
  }
}
