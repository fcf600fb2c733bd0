using Llava.Dashboard.Live;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Training;

/// <summary>Puts what the pages of training runs need into a container.</summary>
internal static class TrainingPages
{
    public static void AddTrainingPages(this IServiceCollection services)
    {
        services.AddSingleton<TrainingReader>();
        services.AddSingleton<LiveSource, TrainingRowsLive>();
        services.AddSingleton<LiveSource, TrainingRunLive>();
    }
}
