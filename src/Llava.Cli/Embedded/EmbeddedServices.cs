using Llava.Cli.Service;
using Llava.Contracts.Requests;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Scheduler;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Cli.Embedded;

/// <summary>Ledger, scheduler, consumer and transport in one process: the embedded mode (docs/flow.md).</summary>
internal static class EmbeddedServices
{
    /// <summary>Folders that are not to be read are refused, so each unfinished job's own are named here.</summary>
    public static void AddEmbedded(this IHostApplicationBuilder builder, string dataFolder, IReadOnlyCollection<JobRequest> jobs, IEnumerable<string> models)
    {
        var services = builder.Services;
        services.AddLlavaLedger(options => options.BindLedger(builder.Configuration, dataFolder));
        services.AddSingleton<IAnswerShapeCheck, AnswerShapes>();
        services.PlaceFiles(dataFolder);
        services.AddLlavaScheduler(options => options.Configure(o =>
        {
            o.TrustSchedules = true;
            foreach (var folder in jobs.SelectMany(job => job.Source.Folders()).Where(Directory.Exists).Distinct())
            {
                o.ImageRoots.Add(folder);
            }
        }));
        builder.AddModels();
        services.AddLlavaConsumer(options => options.Configure(o =>
        {
            foreach (var model in models)
            {
                o.Models.Add(model);
            }
        }));
        services.AddLlavaTransport(builder.Configuration);
    }
}
