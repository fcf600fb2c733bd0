using System.Collections.Concurrent;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// Streams of libtorch that sessions have for themselves. One that is given back goes to the next who asks, because libtorch keeps memory and workspaces for each that was ever used.
/// </summary>
internal static class DeviceStreams
{
    private static readonly ConcurrentDictionary<int, ConcurrentBag<nint>> Free = new();

    /// <summary>A stream that nobody else has.</summary>
    /// <param name="device">Ordinal of the device.</param>
    /// <exception cref="TorchLibraryException">This libtorch gives none.</exception>
    public static nint Take(int device) => Of(device).TryTake(out var stream) ? stream : StableShim.NextCudaStream(device);

    /// <summary>Gives one back; what is in it still comes to its end.</summary>
    public static void Return(int device, nint stream) => Of(device).Add(stream);

    private static ConcurrentBag<nint> Of(int device) => Free.GetOrAdd(device, _ => []);
}
