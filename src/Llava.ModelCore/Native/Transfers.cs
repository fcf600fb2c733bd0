using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Native;

/// <summary>
/// Numbers that go to a device and come from it. The host does not wait for a device that it gives something: what is queued there goes on. It does wait for what it reads, so
/// everything that is read together is read at once.
/// </summary>
internal static class Transfers
{
    /// <summary>The tensor on a device. To CUDA it goes by way of pinned memory, which libtorch keeps until the copy is done.</summary>
    /// <param name="host">On the CPU.</param>
    /// <param name="device">Where it is needed.</param>
    /// <returns>In the caller's scope; the same tensor where it is there already.</returns>
    public static Tensor Upload(this Tensor host, Device device)
    {
        if (device.type != DeviceType.CUDA)
        {
            return host.to(device);
        }

        using var pinned = host.pin_memory();
        return pinned.to(device, non_blocking: true);
    }

    /// <summary>Numbers of several tensors in one copy, which waits for the device.</summary>
    /// <param name="tensors">Of any types, shapes and devices.</param>
    /// <returns>All numbers, tensor by tensor.</returns>
    public static double[] Read(params IReadOnlyList<Tensor> tensors)
    {
        if (tensors.Count == 0)
        {
            return [];
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return cat([.. tensors.Select(tensor => tensor.detach().to(ScalarType.Float64).flatten().to(tensors[0].device))], 0).cpu().data<double>().ToArray();
    }
}
