using Llava.Cli.Embedded;
using Llava.Cli.Training;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Training;
using Llava.ModelCore.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Service;

/// <summary>The models that a consumer can run: checkpoints by folder or by name, those that were trained here, and the null model.</summary>
internal static class ModelServices
{
    /// <param name="builder">The host.</param>
    /// <param name="dataFolder">Where trained models are, unless the configuration names another folder.</param>
    public static void AddModels(this IHostApplicationBuilder builder, string dataFolder)
    {
        var services = builder.Services;
        services.AddOptions<EngineOptions>().BindConfiguration($"Llava:{EngineOptions.SectionName}");
        services.AddOptions<TrainingOptions>().Configure(options => options.Folder = TrainedModelsFolder.In(dataFolder));
        services.AddTrainedModels();
        services.AddSingleton(TrainingRank.Program);
        services.AddSingleton(provider => new ModelLocations(provider.GetRequiredService<TrainingFolders>(), ModelFolders.Resolve));
        services.AddSingleton(provider => new EngineItemRunnerFactory(
            provider.GetRequiredService<ModelLocations>().FolderOf, provider.GetRequiredService<IOptions<EngineOptions>>().Value, provider.GetRequiredService<IImageBytes>(), TimeProvider.System,
            provider.GetRequiredService<ILogger<EngineItemRunnerFactory>>()));
        services.AddSingleton<IItemRunnerFactory>(provider => new NullItemRunnerFactory(provider.GetRequiredService<EngineItemRunnerFactory>()));
    }
}
