using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Training.Processes;
using Llava.GpuConsumer.Training.Rows;
using Llava.Hosting.Transport;
using Llava.Ledger.Files;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.GpuConsumer.Training;

/// <summary>Puts training into a consumer's container.</summary>
public static class TrainingServices
{
    /// <summary>Adds where trained models are: <see cref="TrainingFolders"/>; adding it again changes nothing.</summary>
    public static IServiceCollection AddTrainedModels(this IServiceCollection services)
    {
        services.AddOptions<TrainingOptions>().BindConfiguration(TrainingOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TrainingOptions>, TrainingOptionsRanges>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TrainingOptions>, TrainingOptionsRules>());
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<TrainingOptions>>().Value);
        services.TryAddSingleton(provider => new TrainingFolders(provider.GetRequiredService<TrainingOptions>().Folder));
        return services;
    }

    /// <summary>
    /// Adds the worker that trains, where <see cref="TrainingOptions.Enabled"/> says so, and serves what was trained from the models served here.
    /// Needs the consumer, and of the host a <see cref="ModelLocations"/> and a <see cref="TrainingProgram"/>; call it before the transport is added.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="trains">Whether this process trains.</param>
    public static IServiceCollection AddLlavaTraining(this IServiceCollection services, bool trains)
    {
        services.AddTrainedModels();
        services.AddLlavaFiles(options => options.BindConfiguration(FileStoreOptions.SectionName));
        services.AddHostedService<TrainedModelsLoop>();
        if (trains)
        {
            services.AddSingleton<RowImages>();
            services.AddSingleton<RowFile>();
            services.AddSingleton<TrainingRecipes>();
            services.AddSingleton<RunValidation>();
            services.AddSingleton<YieldGate>();
            services.AddSingleton<RunTraining>();
            services.AddHostedService<TrainingWorker>();
            services.RegisterConsumer<TrainStageConsumer>();
            services.AddSingleton<IReceiveEndpoints, TrainingEndpoint>();
        }

        return services;
    }
}
