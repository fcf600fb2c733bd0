using System.Diagnostics;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>Adds up how long a rank exchanges and waits for others.</summary>
/// <param name="ranks">Not disposed with this.</param>
internal sealed class TimedCollective(ICollective ranks) : ICollective
{
    /// <summary>So far; may be set back.</summary>
    public TimeSpan Spent { get; set; }

    public int Rank => ranks.Rank;

    public int Size => ranks.Size;

    public void AllReduce(Tensor values) => Time(() => ranks.AllReduce(values));

    public void ReduceScatter(Tensor values, Tensor own) => Time(() => ranks.ReduceScatter(values, own));

    public void AllGather(Tensor own, Tensor values) => Time(() => ranks.AllGather(own, values));

    public void Broadcast(Tensor values, int root) => Time(() => ranks.Broadcast(values, root));

    public void Barrier() => Time(ranks.Barrier);

    public void Dispose()
    {
    }

    private void Time(Action together)
    {
        var start = Stopwatch.GetTimestamp();
        together();
        Spent += Stopwatch.GetElapsedTime(start);
    }
}
