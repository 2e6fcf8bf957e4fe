// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The convolution strategies and the networks on them alone, with the tests that run them on several threads: small enough to be built once for each sanitizer.
// `make sanitize` runs it; the whole package would take minutes for each.

let contracts: [Target.Dependency] = ["KernelContracts", "CShims"]
// As in the whole package, and for its reason.
let passesLeftToLLVM = ["loop-invariant-code-motion", "redundant-load-elimination"]
let kernelFlags: [SwiftSetting] = [
  .unsafeFlags(
    ["-Ounchecked"] + passesLeftToLLVM.flatMap { ["-Xllvm", "-sil-disable-pass=\($0)"] }, .when(configuration: .release)
  )
]

// What no pointer is in and little time is spent in is not optimised: that would be most of what the sanitizers wait for.
let plain: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]

#if arch(x86_64)
  // Kernels that are not run here, since this machine cannot or ASSAY_ISA names others, have nothing to show, and compiling the
  // widest is most of the wait: there they are the portable ones by another name, which nobody calls.
  let cpu = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
  func kernels(_ name: String, _ level: String, needing flag: String) -> [SwiftSetting] {
    let isAsked = Context.environment["ASSAY_ISA"].map { name.lowercased().hasSuffix($0) } ?? true
    return isAsked && cpu?.contains(" \(flag) ") ?? true
      ? kernelFlags + [.define(name), .unsafeFlags(["-Xcc", "-march=\(level)"])] : plain + [.define("KERNELS_PORTABLE")]
  }
  let kernelTargets: [Target] = [
    .target(
      name: "KernelsPortable", dependencies: contracts,
      swiftSettings: kernelFlags + [.define("KERNELS_PORTABLE")]),
    .target(
      name: "KernelsAVX2", dependencies: contracts,
      swiftSettings: kernels("KERNELS_AVX2", "x86-64-v3", needing: "avx2")),
    .target(
      name: "KernelsAVX512", dependencies: contracts,
      swiftSettings: kernels("KERNELS_AVX512", "x86-64-v4", needing: "avx512f")),
  ]
#else
  let kernelTargets: [Target] = [
    .target(
      name: "KernelsPortable", dependencies: contracts,
      swiftSettings: kernelFlags + [.define("KERNELS_PORTABLE")]),
    .target(
      name: "KernelsNEON", dependencies: contracts, swiftSettings: kernelFlags + [.define("KERNELS_NEON")]),
  ]
#endif

// The inner loop of the float64 oracle, safe Swift with its checks, in the same way.
#if arch(x86_64)
  let oracleLoops: [Target] = [
    .target(name: "OracleLoopsPortable", swiftSettings: plain),
    .target(
      name: "OracleLoopsAVX2",
      swiftSettings: plain + [.define("ORACLE_AVX2"), .unsafeFlags(["-Xcc", "-march=x86-64-v3"])]),
    .target(
      name: "OracleLoopsAVX512",
      swiftSettings: plain + [.define("ORACLE_AVX512"), .unsafeFlags(["-Xcc", "-march=x86-64-v4"])]),
  ]
#else
  let oracleLoops: [Target] = [.target(name: "OracleLoopsPortable", swiftSettings: plain)]
#endif

let package = Package(
  name: "sanitizers",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "https://github.com/apple/swift-numerics", from: "1.1.1")],
  targets: kernelTargets + oracleLoops + [
    .target(name: "KernelContracts"),
    .systemLibrary(name: "CShims"),
    .systemLibrary(name: "CSpawn"),
    .systemLibrary(name: "CPerfEvents"),
    .target(name: "OperatingSystem", dependencies: ["CSpawn", "CPerfEvents"]),
    .target(name: "Tensors", dependencies: [.product(name: "RealModule", package: "swift-numerics")]),
    .target(name: "Problems", dependencies: ["Tensors"], swiftSettings: plain),
    .target(
      name: "Convolution",
      dependencies: ["Tensors", "Problems", "OperatingSystem", "KernelContracts"]
        + kernelTargets.map { .target(name: $0.name) }),
    .target(
      name: "Execution",
      dependencies: ["Tensors", "Problems", "Convolution", .product(name: "RealModule", package: "swift-numerics")]),
    // For the bound that Winograd's results are held to.
    .target(
      name: "Operations",
      dependencies: ["Tensors", "Problems", "CShims", .product(name: "RealModule", package: "swift-numerics")]
        + oracleLoops.map { .target(name: $0.name) },
      swiftSettings: plain),
    .testTarget(
      name: "ConvolutionTests", dependencies: ["Convolution", "Problems", "Tensors", "Operations"],
      path: "ConvolutionTests",
      exclude: [
        "AutoStrategyTests.swift", "HostileOperandTests.swift", "InstructionSetTests.swift", "MachineTests.swift",
        "WinogradHarness.swift", "WinogradTests.swift",
      ],
      sources: [
        "ConvolutionOracle.swift", "GuardedBuffer.swift", "RandomConvolution.swift", "StrategyPropertyTests.swift",
        "StrategyRun.swift",
      ]),
    .testTarget(
      name: "ExecutionTests", dependencies: ["Execution", "Convolution", "Problems", "Tensors", "Operations"],
      path: "ExecutionTests",
      exclude: [
        "ClassificationTests.swift", "InferenceNetworkTests.swift", "MemoryPlanTests.swift",
        "TrainingNetworkTests.swift",
      ],
      sources: [
        "InferenceThreadTests.swift", "NetworkSample.swift", "TrainingSample.swift", "TrainingThreadTests.swift",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
