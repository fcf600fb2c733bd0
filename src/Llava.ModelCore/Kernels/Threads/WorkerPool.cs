using System.Diagnostics;

namespace Llava.ModelCore.Kernels.Threads;

/// <summary>
/// Fork and join for work of microseconds. Parts are claimed one by one, so a thread that the system has set aside delays at most the part
/// it holds; waiting spins for some tens of microseconds and then blocks, so a pool without work takes no time from others.
/// </summary>
/// <remarks>One thread calls <see cref="Run"/>, and takes parts itself. Nothing is allocated per call.</remarks>
internal sealed class WorkerPool : IDisposable
{
    /// <summary>How long a wait spins before it blocks. A step's phases follow each other faster; between steps there may be nothing for hours.</summary>
    private static readonly long SpinTicks = Stopwatch.Frequency * 50 / 1_000_000;

    private const int PartBits = 22;
    private const int MostParts = (1 << PartBits) - 1;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly SemaphoreSlim _finished = new(0);
    private IParallelWork? _work;
    // The run's number, its parts, and the next part that nobody has claimed (PartBits each for the last two): one word, so that a claim cannot meet another run.
    private long _claim;
    private int _done;
    private int _sleeping;
    private int _isAwaited;
    private int _isStopping;
    private Exception? _failure;

    /// <param name="threads">Threads that work, the caller's among them.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Count = threads;
        _threads = [.. Enumerable.Range(1, threads - 1).Select(Start)];
    }

    /// <summary>Threads that work, the caller's among them.</summary>
    public int Count { get; }

    /// <summary>Cores this process may use: those of its control group and affinity, which is what .NET counts.</summary>
    public static int FreeCores => Environment.ProcessorCount;

    /// <summary>Computes all parts and returns when they are done.</summary>
    /// <exception cref="InvalidOperationException">A part failed; the inner exception is one of the failures.</exception>
    public void Run(IParallelWork work, int parts)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parts, MostParts);
        _failure = null;
        if (Count == 1 || parts == 1)
        {
            for (var part = 0; part < parts; part++)
            {
                RunPart(work, part, 0);
            }
        }
        else
        {
            Share(work, parts);
        }

        if (_failure is { } failure)
        {
            throw new InvalidOperationException($"A kernel failed: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Interlocked.Exchange(ref _isStopping, 1);
        _wake.Release(Count);
        Array.ForEach(_threads, thread => thread.Join());
        _wake.Dispose();
        _finished.Dispose();
    }

    private void Share(IParallelWork work, int parts)
    {
        (_work, _done) = (work, 0);
        var run = (Volatile.Read(ref _claim) >> (2 * PartBits)) + 1;
        Interlocked.Exchange(ref _claim, (run << (2 * PartBits)) | ((long)parts << PartBits));
        if (Volatile.Read(ref _sleeping) > 0 && Interlocked.Exchange(ref _sleeping, 0) is var sleeping and > 0)
        {
            _wake.Release(sleeping);
        }

        while (TryRunPart(0))
        {
        }

        AwaitDone(parts);
    }

    private Thread Start(int worker)
    {
        Thread thread = new(() => Work(worker)) { IsBackground = true, Name = $"llava-kernels-{worker}" };
        thread.Start();
        return thread;
    }

    private void Work(int worker)
    {
        while (Volatile.Read(ref _isStopping) == 0)
        {
            if (!TryRunPart(worker) && !SpinUntilWork())
            {
                Sleep();
            }
        }
    }

    private static int PartsOf(long claim) => (int)(claim >> PartBits) & MostParts;

    private static int NextOf(long claim) => (int)claim & MostParts;

    private bool HasWork()
    {
        var claim = Volatile.Read(ref _claim);
        return NextOf(claim) < PartsOf(claim);
    }

    /// <summary>Claims and computes a part; false when there is none.</summary>
    private bool TryRunPart(int worker)
    {
        var claim = Volatile.Read(ref _claim);
        if (NextOf(claim) >= PartsOf(claim))
        {
            return false;
        }

        if (Interlocked.CompareExchange(ref _claim, claim + 1, claim) == claim)
        {
            // From here to the count of this part the run cannot end, so its work stays in place.
            RunPart(Volatile.Read(ref _work)!, NextOf(claim), worker);
            if (Interlocked.Increment(ref _done) == PartsOf(claim) && Interlocked.Exchange(ref _isAwaited, 0) == 1)
            {
                _finished.Release();
            }
        }

        return true;
    }

    private void RunPart(IParallelWork work, int part, int worker)
    {
        try
        {
            work.Run(part, worker);
        }
        catch (Exception e)
        {
            // The caller of the run hears of it; a thread that ended here would leave the caller waiting for ever.
            Volatile.Write(ref _failure, e);
        }
    }

    private bool SpinUntilWork()
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            Thread.SpinWait(8);
            if (HasWork())
            {
                return true;
            }
        }
        while (Stopwatch.GetTimestamp() - start < SpinTicks);
        return false;
    }

    /// <summary>Blocks until there is work. Announced first and looked again: whoever brings work looks for sleepers after it.</summary>
    private void Sleep()
    {
        Interlocked.Increment(ref _sleeping);
        if ((HasWork() || Volatile.Read(ref _isStopping) == 1) && TryLeaveSleepers())
        {
            return;
        }

        _wake.Wait();
    }

    /// <summary>Takes an announcement back; false when somebody is waking this thread already.</summary>
    private bool TryLeaveSleepers()
    {
        while (Volatile.Read(ref _sleeping) is var sleeping and > 0)
        {
            if (Interlocked.CompareExchange(ref _sleeping, sleeping - 1, sleeping) == sleeping)
            {
                return true;
            }
        }

        return false;
    }

    private void AwaitDone(int parts)
    {
        var start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _done) < parts)
        {
            Thread.SpinWait(4);
            if (Stopwatch.GetTimestamp() - start > SpinTicks)
            {
                Block(parts);
                return;
            }
        }
    }

    /// <summary>Blocks until all parts are done. A signal may be an earlier run's that came late, so each is only a reason to look again.</summary>
    private void Block(int parts)
    {
        while (Volatile.Read(ref _done) < parts)
        {
            Interlocked.Exchange(ref _isAwaited, 1);
            if (Volatile.Read(ref _done) < parts)
            {
                _finished.Wait();
            }
        }
    }
}
