using Llava.Contracts.Interactive;
using Llava.GpuConsumer.Chunks;
using Llava.GpuConsumer.Interactive;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Telemetry;
using Llava.GpuConsumer.Training;
using Llava.GpuConsumer.Workers;
using Llava.Hosting.Egress;
using Llava.Hosting.Health;
using Llava.Hosting.Interactive;
using Llava.Hosting.Transport;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.GpuConsumer;

/// <summary>Puts the consumer into a container.</summary>
public static class ConsumerServices
{
    /// <summary>
    /// Adds the worker: it takes chunks of the models it serves, keeps their leases and records results. Needs the ledger and,
    /// added after it, the transport; an <see cref="IItemRunnerFactory"/> registered before it replaces the null model.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Where the options come from; default the section <see cref="ConsumerOptions.SectionName"/>.</param>
    public static IServiceCollection AddLlavaConsumer(this IServiceCollection services, Action<OptionsBuilder<ConsumerOptions>>? configure = null)
    {
        var options = services.AddOptions<ConsumerOptions>().BindConfiguration(ConsumerOptions.SectionName).ValidateOnStart();
        configure?.Invoke(options);
        services.AddSingleton<IValidateOptions<ConsumerOptions>, ConsumerOptionsRanges>();
        services.AddSingleton<IValidateOptions<ConsumerOptions>, ConsumerOptionsRules>();
        services.TryAddSingleton(provider =>
        {
            // Services are made before the host checks its options: whoever is first has all of them checked, so that every finding is named.
            provider.GetService<IStartupValidator>()?.Validate();
            return provider.GetRequiredService<IOptions<ConsumerOptions>>().Value;
        });
        services.AddTrainedModels();
        services.AddLlavaEgress();
        services.TryAddSingleton<IImageBytes, ItemImages>();
        services.TryAddSingleton<IItemRunnerFactory>(_ => new NullItemRunnerFactory());
        services.AddSingleton(provider =>
        {
            var chosen = provider.GetRequiredService<ConsumerOptions>();
            var time = provider.GetRequiredService<TimeProvider>();
            return new ModelPool(provider.GetRequiredService<IItemRunnerFactory>(), chosen, MemoryBudget.Of(chosen), time, provider.GetRequiredService<ILogger<ModelPool>>());
        });
        services.AddSingleton<WorkerIdentity>();
        services.AddChatOptions();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<ChatOptions>>().Value);
        services.AddSingleton<InteractiveDesk>();
        services.AddSingleton<IInteractiveModels>(provider => provider.GetRequiredService<InteractiveDesk>());
        services.AddSingleton<ChatServer>();
        services.AddHostedService(provider => provider.GetRequiredService<ChatServer>());
        services.AddSingleton<JobRequests>();
        services.AddSingleton<ConsumerMetrics>();
        services.AddSingleton(provider => new ProbationGate(provider.GetRequiredService<ChunkPlaces>().Total));
        services.AddSingleton<ChunkPlaces>();
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton<ChunkLedger>();
        services.AddSingleton<ChunkWork>();
        services.AddHostedService(provider => provider.GetRequiredService<LeaseKeeper>());
        services.AddSingleton<WorkerHeartbeat>();
        services.AddHostedService(provider => provider.GetRequiredService<WorkerHeartbeat>());
        services.AddReadyCheck("models", (provider, _) => Task.FromResult(
            ModelHealth.Of(provider.GetRequiredService<ModelPool>().Standings, provider.GetRequiredService<WorkerHeartbeat>().IsAnnounced)));
        services.RegisterConsumer<RunChunkConsumer, RunChunkConsumerDefinition>();
        services.AddSingleton<ChunkEndpoints>();
        services.AddSingleton<IReceiveEndpoints>(provider => provider.GetRequiredService<ChunkEndpoints>());
        return services;
    }
}
