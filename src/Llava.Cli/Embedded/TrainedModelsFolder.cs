using Llava.GpuConsumer.Training;
using Microsoft.Extensions.Configuration;

namespace Llava.Cli.Embedded;

/// <summary>Where training runs put their models: in the data folder, unless the settings name another.</summary>
internal static class TrainedModelsFolder
{
    /// <summary>The folder of training in a data folder.</summary>
    public static string In(string dataFolder) => Path.Combine(dataFolder, "training");

    /// <summary>Folder of a model that was trained here; null when there is none of that name.</summary>
    public static string? Find(string model, string dataFolder)
    {
        var named = new ConfigurationBuilder().AddEnvironmentVariables().Build()[$"{TrainingOptions.SectionName}:{nameof(TrainingOptions.Folder)}"];
        return new TrainingFolders(named ?? In(dataFolder)).Find(model);
    }
}
