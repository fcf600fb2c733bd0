using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>A run of one process, which has everything already.</summary>
internal sealed class SingleRank : ICollective
{
    public int Rank => 0;

    public int Size => 1;

    public void AllReduce(Tensor values)
    {
    }

    public void ReduceScatter(Tensor values, Tensor own)
    {
        using var noGrad = no_grad();
        own.add_(values, Scalars.One);
    }

    public void AllGather(Tensor own, Tensor values)
    {
        using var noGrad = no_grad();
        values.copy_(own);
    }

    public void Broadcast(Tensor values, int root)
    {
    }

    public void Barrier()
    {
    }

    public void Dispose()
    {
    }
}
