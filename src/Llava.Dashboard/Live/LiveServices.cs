using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Live;

internal static class LiveServices
{
    public static void AddLive(this IServiceCollection services)
    {
        services.AddSingleton<LiveTopics>();
        services.AddSingleton<LiveReaders>();
        services.AddSingleton<FragmentRenderer>();
    }
}
