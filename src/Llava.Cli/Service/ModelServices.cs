using Llava.GpuConsumer.Runners;
using Llava.ModelCore.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Service;

/// <summary>The models that a consumer can run: checkpoints by folder or by name, and the null model.</summary>
internal static class ModelServices
{
    public static void AddModels(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<EngineOptions>().BindConfiguration($"Llava:{EngineOptions.SectionName}");
        services.AddSingleton(provider => new EngineItemRunnerFactory(
            ModelFolders.Resolve, provider.GetRequiredService<IOptions<EngineOptions>>().Value, provider.GetRequiredService<IImageBytes>(), TimeProvider.System));
        services.AddSingleton<IItemRunnerFactory>(provider => new NullItemRunnerFactory(provider.GetRequiredService<EngineItemRunnerFactory>()));
    }
}
