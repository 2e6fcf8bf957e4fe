// swift-tools-version: 6.2
import Foundation
import PackageDescription

// One row a module, layer by layer: a module imports only modules above it in this list.
// Kernels are one source folder compiled once per instruction set (`Sources/KernelsAVX2 -> Kernels`, …), and the only
// targets built without preconditions: they know pointers and extents, and are verified by everything above them.

// What crosses the line between them and the rest, pointers and extents, is a target of its own: compiled once, generic
// over nothing, for every CPU. Initialisers of its records are inlined where one is made: called, they read the arguments
// just written two by two, and waited until all stores before them had reached the cache.

let contracts: [Target.Dependency] = ["KernelContracts", "CShims"]

// Two of the compiler's passes over its own representation, which LLVM does again on its, take more than half of the time that
// register tiles are compiled in: they ask of each pair of the thousands of loads and stores of a tile whether these may meet.
let passesLeftToLLVM = ["loop-invariant-code-motion", "redundant-load-elimination"]
let kernelFlags: [SwiftSetting] = [
  .unsafeFlags(
    ["-Ounchecked"] + passesLeftToLLVM.flatMap { ["-Xllvm", "-sil-disable-pass=\($0)"] }, .when(configuration: .release)
  )
]

#if arch(x86_64)
  let kernelTargets: [Target] = [
    .target(
      name: "KernelsPortable", dependencies: contracts, swiftSettings: kernelFlags + [.define("KERNELS_PORTABLE")]),
    .target(
      name: "KernelsAVX2", dependencies: contracts,
      swiftSettings: kernelFlags + [.define("KERNELS_AVX2"), .unsafeFlags(["-Xcc", "-march=x86-64-v3"])]),
    .target(
      name: "KernelsAVX512", dependencies: contracts,
      swiftSettings: kernelFlags + [.define("KERNELS_AVX512"), .unsafeFlags(["-Xcc", "-march=x86-64-v4"])]),
  ]
#else
  let kernelTargets: [Target] = [
    .target(
      name: "KernelsPortable", dependencies: contracts, swiftSettings: kernelFlags + [.define("KERNELS_PORTABLE")]),
    .target(name: "KernelsNEON", dependencies: contracts, swiftSettings: kernelFlags + [.define("KERNELS_NEON")]),
  ]
#endif

// The inner loops of the float64 oracle and of bounds, safe Swift with its checks, in the same way.
#if arch(x86_64)
  let oracleLoops: [Target] = [
    .target(name: "OracleLoopsPortable"),
    .target(
      name: "OracleLoopsAVX2",
      swiftSettings: [.define("ORACLE_AVX2"), .unsafeFlags(["-Xcc", "-march=x86-64-v3"])]),
    .target(
      name: "OracleLoopsAVX512",
      swiftSettings: [.define("ORACLE_AVX512"), .unsafeFlags(["-Xcc", "-march=x86-64-v4"])]),
  ]
#else
  let oracleLoops: [Target] = [.target(name: "OracleLoopsPortable")]
#endif

let kernels: [Target.Dependency] = contracts + kernelTargets.map { .target(name: $0.name) }

// Tests that compute little themselves are compiled without optimisation, in half the time; what they test is optimised.
let plain: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]

// Libraries that pictures are decoded by, each where it is installed: without one of them the rest is built, and a picture of its
// kind is an error that says so. `ASSAY_PICTURES=0` builds without them; `=1` asks for both, wherever the linker finds them.

struct PictureLibrary {
  let target: String
  let pkgConfig: String
  let packages: [SystemPackageProvider]
  let setting: SwiftSetting

  private static let folders =
    (Context.environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
    + ["/usr", "/usr/local", "/opt/homebrew"].flatMap { root in
      ["lib", "lib64", "share", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"].map { "\(root)/\($0)/pkgconfig" }
    }

  var isUsed: Bool {
    switch Context.environment["ASSAY_PICTURES"] {
    case "0": false
    case "1": true
    default: Self.folders.contains { FileManager.default.fileExists(atPath: "\($0)/\(pkgConfig).pc") }
    }
  }

  var systemLibrary: Target { .systemLibrary(name: target, pkgConfig: pkgConfig, providers: packages) }
}

let pictures = [
  PictureLibrary(
    target: "CPNG", pkgConfig: "libpng", packages: [.apt(["libpng-dev"]), .brew(["libpng"])],
    setting: .define("HAS_PNG")),
  PictureLibrary(
    target: "CJPEG", pkgConfig: "libjpeg", packages: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])],
    setting: .define("HAS_JPEG")),
].filter(\.isUsed)

let package = Package(
  name: "assay",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "assay", targets: ["assay"]),
    .library(name: "HDF5", targets: ["HDF5"]),
    .library(name: "Execution", targets: ["Execution"]),
    .library(name: "AssayTesting", targets: ["AssayTesting"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: kernelTargets + oracleLoops + pictures.map(\.systemLibrary) + [
    .target(name: "KernelContracts"),
    .systemLibrary(name: "CShims"),
    // The system: children, and what must not be left behind
    .systemLibrary(name: "CSpawn"),
    .systemLibrary(name: "CPerfEvents"),
    .target(name: "OperatingSystem", dependencies: ["CSpawn", "CPerfEvents"]),
    // Vocabulary
    .target(name: "Tensors", dependencies: [.product(name: "RealModule", package: "swift-numerics")]),
    .target(name: "Problems", dependencies: ["Tensors"]),
    .target(name: "Results"),
    // Files
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(name: "HDF5", dependencies: ["CHDF5", "OperatingSystem"]),
    // The numbers: what each operation is
    .target(
      name: "Operations",
      dependencies: ["Tensors", "Problems", "CShims", .product(name: "RealModule", package: "swift-numerics")]
        + oracleLoops.map { .target(name: $0.name) }),
    .target(
      name: "GoldenFiles", dependencies: ["HDF5", "Tensors", "Problems", "Operations", "Results", "OperatingSystem"]),
    // What stored runs amount to: their figures, their whole, and what changed between them
    .target(name: "RunAnalysis", dependencies: ["Tensors", "Problems", "Operations", "Results"]),
    .target(name: "Convolution", dependencies: ["Tensors", "Problems", "OperatingSystem"] + kernels),
    // Whole networks at the machine's speed
    .target(
      name: "Execution",
      dependencies: ["Tensors", "Problems", "Convolution", .product(name: "RealModule", package: "swift-numerics")]),
    // The fourth that knows pointers: pictures by C libraries, in a child process alone.
    .target(
      name: "ImageCodecs", dependencies: pictures.map { .target(name: $0.target) },
      swiftSettings: pictures.map(\.setting)),
    .target(
      name: "NetworkFiles",
      dependencies: [
        "ImageCodecs", "HDF5", "GoldenFiles", "Tensors", "Problems", "Operations", "OperatingSystem", "Results",
      ]),
    // What an engine is: the reference, and programs of others. Nothing of it needs a kernel, nor what is built on it to check
    // engines, so that a package whose tests do waits for none.
    .target(
      name: "Engines",
      dependencies: ["Tensors", "Problems", "GoldenFiles", "Operations", "OperatingSystem", "Results"]),
    // The strategies and whole networks as engines
    .target(
      name: "StrategyEngines",
      dependencies: [
        "Tensors", "Problems", "Operations", "Convolution", "Execution", "Engines", "OperatingSystem", "Results",
      ]),
    // The third that knows pointers, beside the kernels and HDF5: memory and calls of a library of others' code, by the
    // contract of Benchmarks/engines/include/assay.h. Nothing of it runs in the tool's own process.
    .systemLibrary(name: "CLibraryHost"),
    .target(
      name: "LibraryHost",
      dependencies: [
        "CLibraryHost", "Tensors", "Problems", "Operations", "Convolution", "Engines", "Results", "OperatingSystem",
      ]),
    // What is asked of an engine
    .target(
      name: "Verification",
      dependencies: ["Tensors", "Problems", "GoldenFiles", "Operations", "Engines", "Results"]),
    // What people write for the tool
    .target(
      name: "TOMLFiles",
      dependencies: [
        "Tensors", "GoldenFiles", "Engines", "Verification", "Results", .product(name: "TOMLKit", package: "TOMLKit"),
      ]),
    .target(
      name: "Fuzzing",
      dependencies: ["Tensors", "Problems", "GoldenFiles", "Operations", "Engines", "Verification", "Results"]),
    .target(
      name: "GradientChecking",
      dependencies: ["Tensors", "Problems", "GoldenFiles", "Operations", "Engines", "Results"]),
    .target(
      name: "Benchmarking",
      dependencies: [
        "Tensors", "Problems", "Operations", "TOMLFiles", "GoldenFiles", "Convolution", "Engines", "StrategyEngines",
        "Verification", "Results", "RunAnalysis", "OperatingSystem",
        .product(name: "TOMLKit", package: "TOMLKit"),
      ]),
    // Deliberately wrong implementations: does what is asked of an engine notice them?
    .target(
      name: "SelfTest",
      dependencies: [
        "Tensors", "Problems", "Operations", "GoldenFiles", "Convolution", "Engines", "StrategyEngines", "Verification",
        "GradientChecking", "Fuzzing", "Benchmarking", "Results", "RunAnalysis", "OperatingSystem",
      ]),
    .target(
      name: "Reporting",
      dependencies: ["Results", "OperatingSystem", .product(name: "Mustache", package: "swift-mustache")]),
    // Other programs' files of times, for whoever compares runs.
    .target(name: "ForeignTimes", dependencies: ["Reporting", "RunAnalysis", "Results"]),
    .target(
      name: "AssayTesting",
      dependencies: [
        "Tensors", "Problems", "Operations", "Verification", "GradientChecking", "GoldenFiles", "Engines", "Results",
      ]),
    // The command
    .executableTarget(
      name: "assay",
      dependencies: [
        "ForeignTimes", "Reporting", "SelfTest", "Verification", "Fuzzing", "GradientChecking", "Benchmarking",
        "RunAnalysis", "Engines", "StrategyEngines", "TOMLFiles",
        "LibraryHost", "Operations", "Convolution", "Execution", "NetworkFiles", "GoldenFiles", "Problems", "Tensors",
        "Results",
        "OperatingSystem", "CShims",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // Tests, one suite a module. Each names every module that it imports: what is not named here is not built again when that module
    // changes, and then reads its values by an old layout.
    .target(
      name: "TestSupport", dependencies: ["Tensors", "Problems", "Results", "OperatingSystem"],
      path: "Tests/TestSupport", exclude: ["Samples/run-version-1.json"]),
    .testTarget(
      name: "TensorsTests",
      dependencies: ["Tensors", "TestSupport", .product(name: "RealModule", package: "swift-numerics")]),
    .testTarget(
      name: "OperatingSystemTests", dependencies: ["OperatingSystem", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "ResultsTests", dependencies: ["Results", "TestSupport"], swiftSettings: plain),
    .testTarget(
      name: "RunAnalysisTests",
      dependencies: ["Operations", "Problems", "Results", "Tensors", "RunAnalysis", "TestSupport"], swiftSettings: plain
    ),
    .testTarget(
      name: "TOMLFilesTests", dependencies: ["TOMLFiles", "Engines", "TestSupport"], swiftSettings: plain),
    .testTarget(name: "ProblemsTests", dependencies: ["Tensors", "Problems", "Operations", "TestSupport"]),
    .testTarget(
      name: "HDF5Tests", dependencies: ["HDF5", "TestSupport"], exclude: ["Samples/make.py"],
      resources: [.copy("Samples/h5py.h5")], swiftSettings: plain),
    .testTarget(
      name: "GoldenFilesTests",
      dependencies: ["Problems", "Tensors", "GoldenFiles", "Operations", "HDF5", "CHDF5", "TestSupport", "assay"],
      exclude: ["Samples/make.py"], resources: [.copy("Samples/h5py.h5")], swiftSettings: plain),
    .testTarget(
      name: "NetworkFilesTests",
      dependencies: [
        "Problems", "Tensors", "ImageCodecs", "NetworkFiles", "GoldenFiles", "Operations", "Results", "TestSupport",
        "assay",
      ],
      exclude: ["Samples/make.py", "Samples/make_pictures.py"],
      resources: [
        .copy("Samples/python.safetensors"), .copy("Samples/pictures"), .copy("Samples/pictures24.raw"),
        .copy("Samples/cmyk.jpg"),
      ], swiftSettings: plain),
    .testTarget(name: "OperationsTests", dependencies: ["Problems", "Tensors", "Operations", "TestSupport"]),
    .testTarget(
      name: "ConvolutionTests", dependencies: ["Problems", "Tensors", "Convolution", "Operations", "TestSupport"]),
    .testTarget(
      name: "ExecutionTests",
      dependencies: ["Convolution", "Problems", "Tensors", "Execution", "Operations", "TestSupport"]),
    .testTarget(
      name: "EnginesTests",
      dependencies: [
        "Problems", "Tensors", "Engines", "StrategyEngines", "Operations", "GoldenFiles", "OperatingSystem", "Results",
        "TestSupport", "assay",
      ], swiftSettings: plain),
    .testTarget(
      name: "StrategyEnginesTests",
      dependencies: ["Problems", "Tensors", "Engines", "StrategyEngines", "Operations"], swiftSettings: plain),
    .testTarget(
      name: "LibraryHostTests",
      dependencies: [
        "Problems", "Tensors", "LibraryHost", "Engines", "Operations", "Reporting", "Results", "TOMLFiles",
        "TestSupport", "assay",
      ], exclude: ["Libraries/relu.c"], swiftSettings: plain),
    .testTarget(
      name: "VerificationTests",
      dependencies: [
        "Engines", "StrategyEngines", "GoldenFiles", "GradientChecking", "Problems", "Tensors", "Verification",
        "Operations", "AssayTesting", "RunAnalysis", "Results", "TOMLFiles", "TestSupport",
      ]),
    .testTarget(
      name: "FuzzingTests",
      dependencies: [
        "Tensors", "Verification", "Fuzzing", "Engines", "StrategyEngines", "Operations", "Problems", "Results",
        "TestSupport",
      ], swiftSettings: plain),
    .testTarget(
      name: "GradientCheckingTests",
      dependencies: [
        "Engines", "StrategyEngines", "GoldenFiles", "Problems", "Results", "Tensors", "GradientChecking", "Operations",
        "TestSupport",
      ], swiftSettings: plain),
    .testTarget(
      name: "SelfTestTests",
      dependencies: ["Problems", "Results", "SelfTest", "Benchmarking", "GoldenFiles", "TestSupport", "assay"],
      swiftSettings: plain),
    .testTarget(
      name: "BenchmarkingTests",
      dependencies: [
        "Results", "Benchmarking", "Engines", "StrategyEngines", "OperatingSystem", "Operations", "Problems", "Tensors",
        "TestSupport", "Verification", "assay",
      ],
      exclude: ["Engines/allocating.c"], swiftSettings: plain),
    .testTarget(
      name: "ReportingTests", dependencies: ["Reporting", "Results", "RunAnalysis", "OperatingSystem", "TestSupport"],
      swiftSettings: plain),
    .testTarget(
      name: "ForeignTimesTests", dependencies: ["ForeignTimes", "Reporting", "Results", "RunAnalysis", "TestSupport"],
      swiftSettings: plain),
    // Odd inputs by the thousand, and what the program makes of them: run by a test of the command, or on its own.
    .executableTarget(
      name: "OddInputs",
      dependencies: [
        "Problems", "Operations", "Tensors", "HDF5", "GoldenFiles", "NetworkFiles", "Engines", "StrategyEngines",
        "Verification", "TOMLFiles", "Benchmarking",
        "OperatingSystem", "Results", "Reporting", "TestSupport",
      ], path: "Tests/OddInputs"),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Operations", "Problems",
        "OddInputs", "assay", "Convolution", "GoldenFiles", "HDF5", "NetworkFiles", "OperatingSystem", "Reporting",
        "Results", "TOMLFiles", "Tensors", "TestSupport", "Verification",
      ], swiftSettings: plain),
  ],
  swiftLanguageModes: [.v6]
)
