using Llava.GpuConsumer.Training;

namespace Llava.GpuConsumer.Models;

/// <summary>Finds the folder of a model: one that was trained here by its name, any other as the host knows it.</summary>
/// <param name="trained">Models that were trained here.</param>
/// <param name="known">The folder of any other model; throws when there is none.</param>
public sealed class ModelLocations(TrainingFolders trained, Func<string, string> known)
{
    /// <summary>The folder of a checkpoint.</summary>
    public string FolderOf(string model) => trained.Find(model) ?? known(model);
}
