using Llava.Hosting.Paths;
using Llava.Hosting.Transport;
using Llava.Ledger.Files;
using Llava.Scheduler.Completion;
using Llava.Scheduler.Dispatch;
using Llava.Scheduler.Expansion;
using Llava.Scheduler.Recovery;
using Llava.Scheduler.Sources;
using Llava.Scheduler.Submission;
using Llava.Scheduler.Telemetry;
using Llava.Scheduler.Training;
using Llava.Scheduler.Webhooks;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.Scheduler;

/// <summary>Puts the scheduler into a container.</summary>
public static class SchedulerServices
{
    /// <summary>Adds the loops that expand, dispatch, end and repair jobs. Needs the ledger and the transport.</summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Where the options come from; default the section <see cref="SchedulerOptions.SectionName"/>.</param>
    public static IServiceCollection AddLlavaScheduler(this IServiceCollection services, Action<OptionsBuilder<SchedulerOptions>>? configure = null)
    {
        services.AddSchedulerOptions(configure);
        services.AddSourceReading();
        services.AddSingleton<IJobSource, SourceReader>();
        services.AddSingleton<JobExpander>();
        services.AddSingleton<SchedulerMetrics>();
        services.AddSingleton<Dispatcher>();
        services.AddHostedService<SweepLoop>();
        services.AddHostedService<ExpansionLoop>();
        services.AddHostedService<DispatchLoop>();
        services.AddHostedService<CompletionLoop>();
        services.AddHostedService<ProgressLoop>();
        services.AddHostedService<TrainingLoop>();
        services.AddHostedService<PromotionLoop>();
        services.AddHostedService<BatchLoop>();
        services.AddWebhooks();
        services.AddHostedService<BacklogSampler>();
        services.RegisterConsumer<SubmitJobConsumer>();
        services.AddSingleton<IReceiveEndpoints, SubmissionEndpoint>();
        return services;
    }

    /// <summary>Adds a <see cref="SourceSurveyor"/> for a process that estimates jobs and expands none; one that has the scheduler has it already. Needs the ledger.</summary>
    public static IServiceCollection AddLlavaSourceSurvey(this IServiceCollection services)
    {
        services.AddSchedulerOptions(null);
        services.AddSourceReading();
        return services;
    }

    private static void AddSchedulerOptions(this IServiceCollection services, Action<OptionsBuilder<SchedulerOptions>>? configure)
    {
        var options = services.AddOptions<SchedulerOptions>().BindConfiguration(SchedulerOptions.SectionName).ValidateOnStart();
        configure?.Invoke(options);
        services.AddSingleton<IValidateOptions<SchedulerOptions>, SchedulerOptionsRanges>();
        services.AddSingleton<IValidateOptions<SchedulerOptions>, SchedulerOptionsRules>();
        services.TryAddSingleton(provider =>
        {
            // Services are made before the host checks its options: whoever is first has all of them checked, so that every finding is named.
            provider.GetService<IStartupValidator>()?.Validate();
            return provider.GetRequiredService<IOptions<SchedulerOptions>>().Value;
        });
    }

    private static void AddSourceReading(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new AllowedRoots(provider.GetRequiredService<SchedulerOptions>().ImageRoots));
        services.AddLlavaFiles(files => files.BindConfiguration(FileStoreOptions.SectionName));
        services.TryAddSingleton(provider => new SourceSurveyor(provider.GetRequiredService<AllowedRoots>(), provider.GetRequiredService<FileStore>(), provider.GetRequiredService<TimeProvider>()));
    }

    private static void AddWebhooks(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsRanges>();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsRules>();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<WebhookOptions>>().Value);
        services.AddHostedService<WebhookLoop>();
    }
}
