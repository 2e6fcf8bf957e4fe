import KernelContracts

/// Winograd's part of the kernel table.
func makeWinogradKernels() -> WinogradKernels {
  WinogradKernels(
    input: { winogradInput($0, $1) }, output: { winogradOutput($0, $1) }, gradient: { winogradGradient($0, $1) },
    filters: { winogradFilters($0, $1) }, filterGradient: { winogradFilterGradient($0, $1) })
}
