using System.Runtime.InteropServices;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>NVIDIA's NCCL, version 2, loaded when a run on several cards first asks for it. It comes with a PyTorch installation.</summary>
internal sealed unsafe class NcclLibrary
{
    /// <summary>Bytes of the id that the processes of a group share.</summary>
    public const int IdLength = 128;

    /// <summary>ncclUint8.</summary>
    private const int Bytes = 1;

    /// <summary>ncclFloat32.</summary>
    private const int Floats = 7;

    /// <summary>ncclSum.</summary>
    private const int Sum = 0;

    private const string FileName = "libnccl.so.2";

    private static readonly Lazy<NcclLibrary> Loaded = new(() => new(Load()));

    private readonly nint _library;
    private readonly delegate* unmanaged<nint, nint> _dataOf;

    private NcclLibrary(nint library)
    {
        _library = library;
        _dataOf = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(TorchLibrary.Binding, "THSTensor_data");
    }

    /// <summary>Loads it once.</summary>
    /// <exception cref="TrainingException">It is not there.</exception>
    public static NcclLibrary Instance => Loaded.Value;

    /// <summary>An id for a new group, made by one of its processes.</summary>
    public byte[] NewId()
    {
        var id = new byte[IdLength];
        fixed (byte* start = id)
        {
            Require(((delegate* unmanaged<byte*, int>)Function("ncclGetUniqueId"))(start), "ncclGetUniqueId");
        }

        return id;
    }

    /// <summary>Joins a group on the current device; returns when all of its processes have.</summary>
    public nint Join(byte[] id, int rank, int size)
    {
        nint communicator;
        fixed (byte* start = id)
        {
            Require(((delegate* unmanaged<nint*, int, NcclId, int, int>)Function("ncclCommInitRank"))(&communicator, size, *(NcclId*)start, rank), "ncclCommInitRank");
        }

        return communicator;
    }

    /// <summary>Leaves a group.</summary>
    public void Leave(nint communicator) => ((delegate* unmanaged<nint, int>)Function("ncclCommDestroy"))(communicator);

    /// <summary>Sum over all ranks, in place; queued on the stream that torch computes on.</summary>
    public void AllReduce(Tensor values, nint communicator) => Require(
        ((delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)Function("ncclAllReduce"))(Data(values), Data(values), (nuint)values.numel(), Floats, Sum, communicator, 0), "ncclAllReduce");

    /// <summary>Sum over all ranks of each one's part.</summary>
    public void ReduceScatter(Tensor values, Tensor own, nint communicator) => Require(
        ((delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)Function("ncclReduceScatter"))(Data(values), Data(own), (nuint)own.numel(), Floats, Sum, communicator, 0), "ncclReduceScatter");

    /// <summary>The parts of all ranks.</summary>
    public void AllGather(Tensor own, Tensor values, nint communicator) => Require(
        ((delegate* unmanaged<nint, nint, nuint, int, nint, nint, int>)Function("ncclAllGather"))(Data(own), Data(values), SizeOf(own), Bytes, communicator, 0), "ncclAllGather");

    /// <summary>The values of one rank, in place.</summary>
    public void Broadcast(Tensor values, int root, nint communicator) => Require(
        ((delegate* unmanaged<nint, nint, nuint, int, int, nint, nint, int>)Function("ncclBroadcast"))(Data(values), Data(values), SizeOf(values), Bytes, root, communicator, 0), "ncclBroadcast");

    private static nuint SizeOf(Tensor tensor) => (nuint)(tensor.numel() * tensor.element_size());

    private static nint Load()
    {
        // A PyTorch installation has it beside its own libraries, or in a package beside torch.
        var torch = TorchLibrary.EnsureLoaded().Folder;
        string[] candidates = [Path.Combine(torch, FileName), Path.Combine(torch, "..", "..", "nvidia", "nccl", "lib", FileName), FileName];
        foreach (var candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out var library))
            {
                return library;
            }
        }

        throw new TrainingException($"'{FileName}' is not found, which cards exchange gradients with. Install NCCL 2, or set {TorchLibrary.FolderVariable} to the torch/lib of a PyTorch installation with CUDA; or train with processes 1.");
    }

    private nint Data(Tensor tensor) => _dataOf(tensor.Handle);

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);

    private void Require(int result, string call)
    {
        if (result != 0)
        {
            var text = Marshal.PtrToStringUTF8(((delegate* unmanaged<int, nint>)Function("ncclGetErrorString"))(result));
            throw new TrainingException($"{call} failed: {text}. NCCL says more with the environment variable NCCL_DEBUG=INFO.");
        }
    }

    /// <summary>As C passes it: by value.</summary>
    [StructLayout(LayoutKind.Sequential, Size = IdLength)]
    private struct NcclId
    {
    }
}
