using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Tests.Kernels;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_part_of_every_run_is_computed_once(int threads)
    {
        using WorkerPool pool = new(threads);
        Random random = new(threads);
        for (var run = 0; run < 3000; run++)
        {
            Counting work = new(random.Next(1, 40), threads);
            pool.Run(work, work.Counts.Length);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void A_pool_that_was_idle_for_long_wakes_up()
    {
        using WorkerPool pool = new(3);
        for (var run = 0; run < 20; run++)
        {
            // Far longer than a wait spins.
            SpinWait.SpinUntil(() => false, 5);
            Meeting work = new(3);
            pool.Run(work, 3);
            Assert.Equal(3, work.Workers.Distinct().Count());
        }
    }

    [Fact]
    public void A_part_that_fails_is_told_to_the_caller_and_the_pool_goes_on()
    {
        using WorkerPool pool = new(2);
        for (var run = 0; run < 100; run++)
        {
            var failure = Assert.Throws<InvalidOperationException>(() => pool.Run(new Failing(run % 7), 7));
            Assert.Equal("Broken on purpose.", failure.InnerException!.Message);
            Counting work = new(9, 2);
            pool.Run(work, 9);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        using WorkerPool pool = new(2);
        Counting work = new(16, 2);
        Run(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(1000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run(int times)
        {
            for (var i = 0; i < times; i++)
            {
                pool.Run(work, 16);
            }
        }
    }

    private sealed class Counting(int parts, int threads) : IParallelWork
    {
        public int[] Counts { get; } = new int[parts];

        public void Run(int part, int worker)
        {
            // A worker that is none of the pool's counts where nobody looks for it.
            Interlocked.Increment(ref Counts[(uint)worker < (uint)threads ? part : 0]);
        }
    }

    /// <summary>Parts that end only when all have begun: each needs a thread of its own.</summary>
    private sealed class Meeting(int parts) : IParallelWork
    {
        private readonly Barrier _barrier = new(parts);

        public int[] Workers { get; } = new int[parts];

        public void Run(int part, int worker)
        {
            Workers[part] = worker;
            Assert.True(_barrier.SignalAndWait(TimeSpan.FromMinutes(1)));
        }
    }

    private sealed class Failing(int broken) : IParallelWork
    {
        public void Run(int part, int worker)
        {
            if (part == broken)
            {
                throw new InvalidOperationException("Broken on purpose.");
            }
        }
    }
}
