using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// Collective operations on CUDA tensors by NCCL, each process with the one card that it sees; what is on the CPU goes over the connections that the processes
/// met on. Sums are repeatable on the same machine, but their order is NCCL's. Never run: there was no machine with several cards.
/// </summary>
public sealed class NcclCollective : ICollective
{
    private readonly ICollective _meeting;
    private readonly NcclLibrary _library = NcclLibrary.Instance;
    private readonly nint _communicator;

    /// <summary>Joins the processes' cards.</summary>
    /// <param name="meeting">How the processes met; disposed with this.</param>
    /// <exception cref="TrainingException">NCCL is missing or fails.</exception>
    public NcclCollective(ICollective meeting)
    {
        using var scope = NewDisposeScope();
        _meeting = meeting;
        var id = tensor(meeting.Rank == 0 ? _library.NewId() : new byte[NcclLibrary.IdLength]);
        meeting.Broadcast(id, root: 0);
        _communicator = _library.Join(id.data<byte>().ToArray(), meeting.Rank, meeting.Size);
    }

    /// <inheritdoc/>
    public int Rank => _meeting.Rank;

    /// <inheritdoc/>
    public int Size => _meeting.Size;

    /// <inheritdoc/>
    public void AllReduce(Tensor values)
    {
        if (IsOnCard(values))
        {
            _library.AllReduce(values, _communicator);
            return;
        }

        _meeting.AllReduce(values);
    }

    /// <inheritdoc/>
    public void ReduceScatter(Tensor values, Tensor own)
    {
        if (IsOnCard(values))
        {
            using var noGrad = no_grad();
            using var sum = empty_like(own);
            _library.ReduceScatter(values, sum, _communicator);
            own.add_(sum, Scalars.One);
            return;
        }

        _meeting.ReduceScatter(values, own);
    }

    /// <inheritdoc/>
    public void AllGather(Tensor own, Tensor values)
    {
        if (IsOnCard(values))
        {
            _library.AllGather(own, values, _communicator);
            return;
        }

        _meeting.AllGather(own, values);
    }

    /// <inheritdoc/>
    public void Broadcast(Tensor values, int root)
    {
        if (IsOnCard(values))
        {
            _library.Broadcast(values, root, _communicator);
            return;
        }

        _meeting.Broadcast(values, root);
    }

    /// <inheritdoc/>
    public void Barrier() => _meeting.Barrier();

    /// <inheritdoc/>
    public void Dispose()
    {
        _library.Leave(_communicator);
        _meeting.Dispose();
    }

    private static bool IsOnCard(Tensor tensor) => tensor.device_type == DeviceType.CUDA;
}
