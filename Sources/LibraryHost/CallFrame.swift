import CLibraryHost
import Problems

/// The structs of one call as assay.h lays them out, with everything that they point to but the tensors' elements. Freed with
/// it; a library may keep none of it.
final class CallFrame {
  /// What is the same in every call of one exercise.
  struct Header {
    var operation: String
    /// The problem in one line; empty for an invalid one.
    var text: String
    var attributes: [String: AttributeValue]
    var dtype: Int32
    var threads: Int
  }

  /// A tensor, and where its elements are where they are known yet.
  typealias Argument = (subject: Subject, data: UnsafeMutableRawPointer?)

  let call: UnsafeMutablePointer<assay_call>
  private var blocks: [UnsafeMutableRawPointer] = []

  init(_ header: Header, passes: Set<Pass>, arguments: [Argument], state: UnsafeMutableRawPointer? = nil) {
    call = .allocate(capacity: 1)
    call.initialize(to: assay_call())
    call.pointee.abi = Int32(ASSAY_ABI)
    call.pointee.size = Int32(MemoryLayout<assay_call>.size)
    call.pointee.operation = string(header.operation)
    call.pointee.text = string(header.text)
    call.pointee.pass =
      (passes.contains(.forward) ? Int32(ASSAY_FORWARD) : 0) | (passes.contains(.backward) ? Int32(ASSAY_BACKWARD) : 0)
    call.pointee.dtype = header.dtype
    call.pointee.threads = Int32(clamping: header.threads)
    call.pointee.tensor_count = Int32(clamping: arguments.count)
    call.pointee.tensors = UnsafePointer(array(arguments.map { UnsafePointer(array([view($0)])) as UnsafePointer? }))
    let attributes = header.attributes.sorted { $0.key < $1.key }
    call.pointee.attribute_count = Int32(clamping: attributes.count)
    call.pointee.attributes = UnsafePointer(
      array(attributes.map { UnsafePointer(array([attribute($0.key, $0.value)])) as UnsafePointer? }))
    call.pointee.state = state
    call.pointee.reply = array([assay_reply()])
  }

  deinit {
    for block in blocks { block.deallocate() }
    call.deallocate()
  }

  /// Forgets what the library said in its last call.
  func clearReply() { call.pointee.reply.pointee = assay_reply() }

  /// Why the library refuses, in its words: read before it is called again.
  var message: String? { call.pointee.reply.pointee.message.map { String(cString: $0) } }
  var description: String? { call.pointee.reply.pointee.description.map { String(cString: $0) } }
  var workspaceBytes: Int { Int(clamping: max(0, call.pointee.reply.pointee.workspace_bytes)) }

  /// The values in memory of the frame's own; an address that is not null also for none.
  private func array<Element>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(memory))
    return memory
  }

  private func string(_ text: String) -> UnsafePointer<CChar> { UnsafePointer(array(Array(text.utf8CString))) }

  private func view(_ argument: Argument) -> assay_view {
    let (subject, shape) = (argument.subject, argument.subject.type.shape)
    var view = assay_view()
    view.name = string(subject.name)
    view.data = argument.data
    view.shape = UnsafePointer(array(shape.dimensions.map { Int64($0) }))
    view.count = Int64(shape.count)
    view.rank = Int32(clamping: shape.rank)
    view.dtype = subject.type.dtype.abi
    view.group = subject.group.abi
    return view
  }

  private func attribute(_ name: String, _ value: AttributeValue) -> assay_attribute {
    var attribute = assay_attribute()
    attribute.name = string(name)
    func set(integers values: [Int]) {
      attribute.kind = Int32(ASSAY_INTEGERS)
      attribute.count = Int32(clamping: values.count)
      attribute.integers = UnsafePointer(array(values.map { Int64($0) }))
    }
    func set(reals values: [Double]) {
      attribute.kind = Int32(ASSAY_REALS)
      attribute.count = Int32(clamping: values.count)
      attribute.reals = UnsafePointer(array(values))
    }
    func set(strings values: [String]) {
      attribute.kind = Int32(ASSAY_STRINGS)
      attribute.count = Int32(clamping: values.count)
      attribute.strings = UnsafePointer(array(values.map { string($0) as UnsafePointer? }))
    }
    switch value {
    case .boolean(let value): set(integers: [value ? 1 : 0])
    case .integer(let value): set(integers: [value])
    case .integers(let values): set(integers: values)
    case .real(let value): set(reals: [value])
    case .reals(let values): set(reals: values)
    case .string(let value): set(strings: [value])
    case .strings(let values): set(strings: values)
    }
    return attribute
  }
}
