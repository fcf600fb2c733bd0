using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// Collective operations on CPU tensors over links between all pairs of ranks. Each rank sums one part of the values and hands it to the others, so that each sends
/// and gets about the size of the values twice, however many ranks there are. Sums are made in the order of ranks: the same bits on every rank and in every run.
/// </summary>
/// <param name="link">Disposed with this.</param>
internal sealed class PeerCollective(IPeerLink link) : ICollective
{
    private readonly byte[] _chunk = new byte[1 << 18];

    public int Rank => link.Rank;

    public int Size => link.Size;

    public void AllReduce(Tensor values)
    {
        using var scope = NewDisposeScope();
        var all = TensorMemory.Of(values);
        // The last parts may be smaller.
        var part = ((all.Length / sizeof(float)) + Size - 1) / Size * sizeof(float);
        var sum = new byte[PartOf(all, part, Rank).Length];
        SumAsync(all, part, sum).GetAwaiter().GetResult();
        sum.CopyTo(PartOf(all, part, Rank));
        GatherAsync(all, part).GetAwaiter().GetResult();
    }

    public void ReduceScatter(Tensor values, Tensor own)
    {
        using var scope = NewDisposeScope();
        var (all, sum) = (TensorMemory.Of(values), TensorMemory.Of(own));
        SumAsync(all, sum.Length, sum).GetAwaiter().GetResult();
    }

    public void AllGather(Tensor own, Tensor values)
    {
        using var scope = NewDisposeScope();
        var (all, part) = (TensorMemory.Of(values), TensorMemory.Of(own));
        part.CopyTo(PartOf(all, part.Length, Rank));
        GatherAsync(all, part.Length).GetAwaiter().GetResult();
    }

    public void Broadcast(Tensor values, int root)
    {
        using var scope = NewDisposeScope();
        var all = TensorMemory.Of(values);
        ExchangeAsync(_ => Rank == root ? all : default, peer => Rank != root && peer == root ? link.ReceiveAsync(peer, all) : Task.CompletedTask).GetAwaiter().GetResult();
    }

    public void Barrier()
    {
        byte[] here = [1];
        ExchangeAsync(_ => here, peer => peer == Rank ? Task.CompletedTask : link.ReceiveAsync(peer, _chunk.AsMemory(0, 1))).GetAwaiter().GetResult();
    }

    public void Dispose() => link.Dispose();

    private Task SumAsync(Memory<byte> all, int part, Memory<byte> sum) => ExchangeAsync(peer => PartOf(all, part, peer), async peer =>
    {
        if (peer == Rank)
        {
            Add(PartOf(all, part, Rank).Span, sum.Span);
            return;
        }

        for (var at = 0; at < sum.Length; at += _chunk.Length)
        {
            var next = sum[at..Math.Min(sum.Length, at + _chunk.Length)];
            await link.ReceiveAsync(peer, _chunk.AsMemory(0, next.Length));
            Add(_chunk.AsSpan(0, next.Length), next.Span);
        }
    });

    private Task GatherAsync(Memory<byte> all, int part) =>
        ExchangeAsync(_ => PartOf(all, part, Rank), peer => peer == Rank ? Task.CompletedTask : link.ReceiveAsync(peer, PartOf(all, part, peer)));

    /// <summary>Sends to all others while it hears all ranks, this one too, one after the other.</summary>
    private async Task ExchangeAsync(Func<int, ReadOnlyMemory<byte>> send, Func<int, Task> hear)
    {
        Task[] sends = [.. Enumerable.Range(0, Size).Where(peer => peer != Rank).Select(peer => link.SendAsync(peer, send(peer)))];
        try
        {
            for (var peer = 0; peer < Size; peer++)
            {
                await hear(peer);
            }

            await Task.WhenAll(sends);
        }
        catch
        {
            // Whoever catches this frees the memory that is being sent.
            link.Dispose();
            await Task.WhenAll(sends).ContinueWith(_ => { }, TaskScheduler.Default);
            throw;
        }
    }

    private static Memory<byte> PartOf(Memory<byte> all, int part, int rank)
    {
        return all[Until(rank)..Until(rank + 1)];

        int Until(int parts) => (int)Math.Min(all.Length, (long)parts * part);
    }

    private static void Add(ReadOnlySpan<byte> values, Span<byte> sum)
    {
        var from = MemoryMarshal.Cast<byte, float>(values);
        var to = MemoryMarshal.Cast<byte, float>(sum);
        var at = 0;
        for (; at <= to.Length - Vector<float>.Count; at += Vector<float>.Count)
        {
            (new Vector<float>(to[at..]) + new Vector<float>(from[at..])).CopyTo(to[at..]);
        }

        for (; at < to.Length; at++)
        {
            to[at] += from[at];
        }
    }
}
