using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>Reads what a device is called.</summary>
internal static class DeviceName
{
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";

    /// <summary>Whether it names a device, or nothing.</summary>
    public static bool IsKnown(string? name) => name is null or Cpu || OrdinalOf(name) is not null;

    /// <summary>Number of a CUDA device: 0 for <c>cuda</c>, N for <c>cuda:N</c>; null for anything else.</summary>
    public static int? OrdinalOf(string? name) => name is Cuda ? 0
        : name?.StartsWith($"{Cuda}:", StringComparison.Ordinal) == true && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) ? ordinal
        : null;

    /// <summary>The device as torch knows it.</summary>
    /// <exception cref="TorchLibraryException">libtorch does not see it.</exception>
    public static Device Find(string name)
    {
        if (OrdinalOf(name) is not { } ordinal)
        {
            return CPU;
        }

        var seen = cuda.is_available() ? cuda.device_count() : 0;
        return ordinal < seen
            ? new Device(DeviceType.CUDA, ordinal)
            : throw new TorchLibraryException($"There is no device '{name}': this libtorch sees {seen} CUDA devices. 'llava doctor' tells what is missing; 'cpu' needs none.");
    }
}
