import CLibraryHost
import Foundation
import Operations
import Problems

/// A shared library that was opened, and what it exports for each operation.
///
/// `@unchecked Sendable`: nothing changes after it is opened, and it is never closed, since its threads may run on.
final class SharedLibrary: @unchecked Sendable {
  /// The functions of one operation.
  struct Functions {
    var forward: assay_function
    var backward: assay_function?
    var prepare: assay_prepare_function?
    var release: assay_release_function?
  }

  let path: String
  let functions: [String: Functions]
  let declaration: LibraryDeclaration
  private let handle: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - path: of the file.
  ///   - symbols: which symbol computes an operation, where it is not `assay_<operation>`.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` for a file that is missing, is no library, was built against a newer
  ///   assay.h, describes itself wrongly, or exports no operation.
  init(path: String, symbols: [String: String]) throws(EngineError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw .failed("library \(path): expected a shared library, found no file")
    }
    // Its constructors and assay_library run unwatched: what goes wrong in them ends the process.
    LibraryWatch.begin()
    LibraryWatch.end()
    // Without a slash the loader would look in folders of its own.
    let absolute = URL(fileURLWithPath: path).path(percentEncoded: false)
    guard let handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL) else {
      throw .failed("library \(path): it cannot be opened: \(String(cString: dlerror()))")
    }
    self.handle = handle
    if let abi = dlsym(handle, "assay_abi")?.load(as: Int32.self), abi > Int32(ASSAY_ABI) || abi < 1 {
      throw .failed(
        "library \(path): expected assay.h's ABI 1 to \(ASSAY_ABI), found \(abi): build it against the assay.h of this Assay, "
          + "or use a newer one")
    }
    declaration = try Self.declaration(handle, path)
    functions = try Self.functions(handle, path, symbols, declaration.operations)
  }

  private static func declaration(
    _ handle: UnsafeMutableRawPointer, _ path: String
  ) throws(EngineError) -> LibraryDeclaration {
    guard let symbol = dlsym(handle, "assay_library") else { return LibraryDeclaration() }
    guard let text = unsafeBitCast(symbol, to: assay_library_function.self)() else {
      throw .failed("library \(path): assay_library: expected a JSON object, found NULL")
    }
    return try LibraryDeclaration(json: String(cString: text), of: path)
  }

  private static func functions(
    _ handle: UnsafeMutableRawPointer, _ path: String, _ symbols: [String: String], _ declared: [String]?
  ) throws(EngineError) -> [String: Functions] {
    var found: [String: Functions] = [:]
    for operation in Set(declared ?? Array(OperationRegistry.names)).union(symbols.keys) {
      let symbol = symbols[operation] ?? "assay_\(operation)"
      guard let forward = dlsym(handle, symbol) else {
        guard declared?.contains(operation) != true, symbols[operation] == nil else {
          throw .failed("library \(path): \(operation): expected an exported function \(symbol), found none")
        }
        continue
      }
      found[operation] = Functions(
        forward: unsafeBitCast(forward, to: assay_function.self),
        backward: dlsym(handle, symbol + "_backward").map { unsafeBitCast($0, to: assay_function.self) },
        prepare: dlsym(handle, symbol + "_prepare").map { unsafeBitCast($0, to: assay_prepare_function.self) },
        release: dlsym(handle, symbol + "_release").map { unsafeBitCast($0, to: assay_release_function.self) })
    }
    guard !found.isEmpty else {
      throw .failed(
        "library \(path): expected an exported function assay_<operation>, such as assay_conv2d, with C linkage, found none "
          + "(--symbol conv2d=NAME calls one of another name)")
    }
    return found
  }
}
