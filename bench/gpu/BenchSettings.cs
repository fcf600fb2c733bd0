using Llava.ModelCore.Engine.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu;

/// <summary>Where is measured, and what.</summary>
internal sealed record BenchSettings
{
    /// <summary>Opens the device for a runner, which closes it; null measures the reference on the processor instead.</summary>
    public Func<CudaSession>? Open { get; init; }

    /// <summary>Where tensors lie.</summary>
    public required Device Device { get; init; }

    /// <summary>How large everything is.</summary>
    public required BenchSizes Sizes { get; init; }

    /// <summary>Python with PyTorch and transformers; null leaves the baseline out.</summary>
    public string? Python { get; init; }

    /// <summary>Whether the device multiplies numbers of eight bits.</summary>
    public bool HasFp8()
    {
        using var session = Open?.Invoke();
        return session is not null && Fp8Matrix.IsCapable(session.Capability);
    }

    /// <summary>Waits until the device has done all that it was given.</summary>
    public void Synchronize()
    {
        if (Device.type == DeviceType.CUDA)
        {
            cuda.synchronize(Device);
        }
    }
}
