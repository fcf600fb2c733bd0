using Llava.Hosting.Processes;
using Llava.ModelCore.Engine;

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
        MemoryFit.Require(folder, options, AvailableMemory.Read());
        return LoadedModel.Load(folder, options);
    }
}
