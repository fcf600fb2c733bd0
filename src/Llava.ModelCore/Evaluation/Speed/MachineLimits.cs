using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Assembly;
using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>What all threads together can do at most, measured.</summary>
/// <param name="BytesPerSecond">Reading from memory.</param>
/// <param name="ProductsPerSecond">Multiplications with addition of bytes; null without 512-bit VNNI.</param>
public sealed record MachineLimits(double BytesPerSecond, double? ProductsPerSecond)
{
    private const int Rounds = 7;
    private const long BufferBytes = 512L << 20;
    private const int PartBytes = 1 << 20;

    /// <summary>Measures for about a second; the best of several rounds counts, as it is a limit.</summary>
    public static MachineLimits Measure(int threads)
    {
        using WorkerPool pool = new(threads);
        return new(BandwidthOf(pool), ProductsOf(pool));
    }

    private static double BandwidthOf(WorkerPool pool)
    {
        using NativeBuffer<byte> buffer = new(BufferBytes);
        Reading work = new(buffer);
        return BufferBytes / Best(() => pool.Run(work, (int)(BufferBytes / PartBytes)));
    }

    private static double? ProductsOf(WorkerPool pool)
    {
        if (!AssembledKernel.IsSupported || ExecutableCode.TryMap(PeakLoop.Code()) is not { } code)
        {
            return null;
        }

        using (code)
        {
            PeakLoop work = new(code);
            return pool.Count * PeakLoop.Products / Best(() => pool.Run(work, pool.Count));
        }
    }

    private static double Best(Action action)
    {
        var best = double.PositiveInfinity;
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private sealed unsafe class Reading(NativeBuffer<byte> buffer) : IParallelWork
    {
        private long _sum;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part, int worker)
        {
            var start = buffer.Start + ((long)part * PartBytes);
            var (a, b, c, d) = (Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero);
            for (var i = 0; i < PartBytes; i += 256)
            {
                a += Vector512.Load((long*)(start + i));
                b += Vector512.Load((long*)(start + i + 64));
                c += Vector512.Load((long*)(start + i + 128));
                d += Vector512.Load((long*)(start + i + 192));
            }

            // Somebody might read it, so it has to be computed.
            Interlocked.Add(ref _sum, Vector512.Sum(a + b + c + d));
        }
    }

    /// <summary>Dot products of registers, enough of them side by side to hide how long each takes.</summary>
    private sealed unsafe class PeakLoop(ExecutableCode code) : IParallelWork
    {
        private const int Sums = 24;
        private const long Turns = 1_000_000;
        private const int ProductsOfInstruction = 64;

        /// <summary>Products of one thread.</summary>
        public const double Products = (double)Sums * Turns * ProductsOfInstruction;

        /// <summary>A function of nothing.</summary>
        public static byte[] Code()
        {
            EvexAssembler to = new();
            to.Clear(30);
            to.Clear(31);
            for (var sum = 0; sum < Sums; sum++)
            {
                to.Clear(sum);
            }

            to.Set(Register.R9, (int)Turns);
            var top = to.Position;
            for (var sum = 0; sum < Sums; sum++)
            {
                to.DotProduct(sum, 30, 31);
            }

            to.CountDown(Register.R9, top);
            to.Return();
            return to.Code;
        }

        public void Run(int part, int worker) => ((delegate* unmanaged<void>)code.Start)();
    }
}
