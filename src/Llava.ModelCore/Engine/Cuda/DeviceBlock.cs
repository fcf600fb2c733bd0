using System.Runtime.InteropServices;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>All numbers that a pass tells the device, in one block of int32, so that one copy brings them there.</summary>
internal sealed class DeviceBlock
{
    private const int Alignment = 4;

    private readonly List<int> _numbers = [];
    private Tensor? _tensor;

    /// <summary>Adds numbers of 32 or 64 bits; they begin on 16 bytes' boundaries.</summary>
    /// <exception cref="InvalidOperationException">The block is on the device already.</exception>
    public BlockPart Add<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged
    {
        if (_tensor is not null)
        {
            throw new InvalidOperationException("Nothing is added to a block that was sent.");
        }

        BlockPart part = new(_numbers.Count, MemoryMarshal.Cast<T, int>(numbers).Length);
        _numbers.AddRange(MemoryMarshal.Cast<T, int>(numbers));
        while (_numbers.Count % Alignment > 0)
        {
            _numbers.Add(0);
        }

        return part;
    }

    /// <summary>Sends everything, into a tensor of the caller's scope.</summary>
    public void Send(Device device) => SendTo(empty(_numbers.Count, ScalarType.Int32, device));

    /// <summary>Sends everything to where the last block of the same parts lay, in a graph's eyes.</summary>
    /// <param name="tensor">int32, as many numbers or more; the caller's.</param>
    public void SendTo(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var numbers = torch.tensor(CollectionsMarshal.AsSpan(_numbers).ToArray());
        // From memory that the system may move the host would wait until the device has come this far.
        tensor.narrow(0, 0, _numbers.Count).copy_(tensor.device_type == DeviceType.CUDA ? numbers.pin_memory() : numbers, true);
        _tensor = tensor;
    }

    /// <summary>A part on the device, int32.</summary>
    public Tensor this[BlockPart part] => _tensor!.narrow(0, part.Start, part.Count);

    /// <summary>Where a part lies on the device.</summary>
    public nint Address(BlockPart part) => StableShim.Address(_tensor!.Handle) + (part.Start * sizeof(int));
}

/// <summary>Numbers of a <see cref="DeviceBlock"/>.</summary>
/// <param name="Start">First of them, counted in int32.</param>
/// <param name="Count">How many int32 they take.</param>
internal readonly record struct BlockPart(int Start, int Count)
{
    /// <summary>A few of them.</summary>
    public BlockPart Slice(int start, int count) => new(Start + start, count);
}
