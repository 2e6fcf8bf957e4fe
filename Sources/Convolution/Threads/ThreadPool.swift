import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Persistent threads that take numbered tasks until none is left.
///
/// Each thread begins with its own share of the numbers, the same in every job, so that it finds in its cache what it wrote there
/// in the job before; then it helps the others. Which thread does a task is therefore left to chance, and every operation makes a
/// task's result depend on its number alone: results are then the same bit for bit for every thread count. Workers spin for a
/// moment after a job, since the next layer follows at once, and then sleep.
///
/// `@unchecked Sendable`: `body` and `tasks` are written by the one caller that holds `callers`, before `generation` is
/// published, and read by workers after they have seen it.
public final class ThreadPool: @unchecked Sendable {
  /// Threads that work on a job, the caller included.
  public let threads: Int

  private let generation = Atomic<Int>(0)
  /// The next task of each thread's share, on a cache line of its own, and of its neighbour's, which CPUs read along with it.
  private let next: UnsafeMutablePointer<Atomic<Int>>
  private static let apart = 128 / MemoryLayout<Atomic<Int>>.stride
  private let pending = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let closing = Atomic<Bool>(false)
  private var tasks = 0
  private var body: ((_ task: Int, _ worker: Int) -> Void)?
  private let callers = Mutex<Void>(())
  private let sleepLock: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>

  private static let pools = Mutex<[Int: ThreadPool]>([:])

  /// The pool with this many threads; it lives until the process ends.
  /// - Throws: ``ConvolutionError/threads(asked:)`` below one, above 1024, or when the system gives no more threads.
  public static func shared(threads: Int) throws(ConvolutionError) -> ThreadPool {
    let pool = pools.withLock { pools -> ThreadPool? in
      if let pool = pools[threads] { return pool }
      let pool = try? ThreadPool(threads: threads)
      pools[threads] = pool
      return pool
    }
    guard let pool else { throw .threads(asked: threads) }
    return pool
  }

  private init(threads: Int) throws(ConvolutionError) {
    guard (1...1024).contains(threads) else { throw .threads(asked: threads) }
    self.threads = threads
    sleepLock = .allocate(capacity: 1)
    wake = .allocate(capacity: 1)
    let bytes = threads * Self.apart * MemoryLayout<Atomic<Int>>.stride
    next = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 128).bindMemory(
      to: Atomic<Int>.self, capacity: threads * Self.apart)
    for place in 0..<threads * Self.apart { (next + place).initialize(to: Atomic(0)) }
    pthread_mutex_init(sleepLock, nil)
    pthread_cond_init(wake, nil)
    for worker in 1..<max(threads, 1) where !start(worker) {
      // Those already started end at once: they find no job, and the pool closed.
      closing.store(true, ordering: .sequentiallyConsistent)
      wakeAll()
      throw .threads(asked: threads)
    }
  }

  /// Only a pool that could not have all its threads ends. The last of those it had ends it: each holds it while it serves.
  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(sleepLock)
    wake.deallocate()
    sleepLock.deallocate()
    next.deinitialize(count: threads * Self.apart)
    next.deallocate()
  }

  /// Calls `body(task, worker)` once for every task in 0..<tasks, worker being 0..<threads; returns when all are done.
  /// Callers on other threads wait their turn. `body` must not call the same pool.
  public func run(tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
    if threads == 1 || tasks <= 1 {
      for task in 0..<max(tasks, 0) { body(task, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      callers.withLock { _ in
        self.tasks = tasks
        self.body = body
        for worker in 0..<threads {
          next[worker * Self.apart].store(share(worker, of: tasks).lowerBound, ordering: .relaxed)
        }
        pending.store(threads - 1, ordering: .relaxed)
        generation.add(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        work(body, 0)
        var spins = 0
        while pending.load(ordering: .acquiring) > 0 {
          spins += 1
          if spins & 0x3ff == 0 { sched_yield() }
        }
        self.body = nil
      }
    }
  }

  /// A thread's share of a job's tasks. The caller's, who is awake for certain, is never the smallest.
  private func share(_ worker: Int, of tasks: Int) -> Range<Int> {
    func begin(_ worker: Int) -> Int { (tasks * worker + threads - 1) / threads }
    return begin(worker)..<begin(worker + 1)
  }

  /// The task that the thread which begins with this one does next; `nil` where its share ends.
  package func task(after task: Int, of tasks: Int) -> Int? {
    // The inverse of where shares begin; behind the last task comes no thread's.
    func owner(_ task: Int) -> Int { task * threads / tasks }
    return owner(task + 1) == owner(task) ? task + 1 : nil
  }

  private func work(_ body: (_ task: Int, _ worker: Int) -> Void, _ worker: Int) {
    for distance in 0..<threads {
      let owner = (worker + distance) % threads
      let end = share(owner, of: tasks).upperBound
      while true {
        let task = next[owner * Self.apart].add(1, ordering: .relaxed).oldValue
        if task >= end { break }
        body(task, worker)
      }
    }
  }

  private func serve(_ worker: Int) {
    var seen = 0
    while true {
      var spins = 0
      while generation.load(ordering: .acquiring) == seen {
        if closing.load(ordering: .relaxed) { return }
        spins += 1
        if spins > 20_000 {
          sleep(after: seen)
          spins = 0
        }
      }
      seen = generation.load(ordering: .acquiring)
      if let body { work(body, worker) }
      pending.subtract(1, ordering: .releasing)
    }
  }

  private func sleep(after seen: Int) {
    pthread_mutex_lock(sleepLock)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen,
      !closing.load(ordering: .sequentiallyConsistent)
    {
      pthread_cond_wait(wake, sleepLock)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(sleepLock)
  }

  private func wakeAll() {
    pthread_mutex_lock(sleepLock)
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(sleepLock)
  }

  private final class Start {
    let pool: ThreadPool
    let worker: Int
    init(_ pool: ThreadPool, _ worker: Int) {
      self.pool = pool
      self.worker = worker
    }
  }

  private func start(_ worker: Int) -> Bool {
    let argument = Unmanaged.passRetained(Start(self, worker))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(
      &thread, nil,
      { raw in
        #if canImport(Darwin)
          let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
        #else
          let start = Unmanaged<Start>.fromOpaque(raw!).takeRetainedValue()
        #endif
        start.pool.serve(start.worker)
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      return false
    }
    #if canImport(Darwin)
      if let thread { pthread_detach(thread) }
    #else
      pthread_detach(thread)
    #endif
    return true
  }
}
