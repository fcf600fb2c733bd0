using Llava.Hosting.Processes;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;

namespace Llava.Cli;

/// <summary>Loads models for commands that ask them directly.</summary>
internal static class ModelLoading
{
    /// <summary>Loads a checkpoint that fits into the memory that is free now.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="options">Sizes of the engine.</param>
    /// <exception cref="ModelMemoryException">It does not fit; nothing of it was loaded.</exception>
    public static LoadedModel Load(string folder, EngineOptions options)
    {
        options.RequireValid();
        var choice = DeviceChoice.Of(folder, options);
        if (choice.FallbackReason is { } reason)
        {
            Console.Error.WriteLine($"The CPU computes: {reason}");
        }

        MemoryFit.Require(folder, choice.Options, AvailableMemory.Read());
        return LoadedModel.Load(folder, choice.Options);
    }
}
