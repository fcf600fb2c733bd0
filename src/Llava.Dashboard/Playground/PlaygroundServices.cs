using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Playground;

/// <summary>Registers what the playground needs beside the API.</summary>
internal static class PlaygroundServices
{
    public static void AddPlayground(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<PlaygroundOptions>, PlaygroundOptionsRanges>();
        services.AddOptions<PlaygroundOptions>().BindConfiguration(PlaygroundOptions.SectionName).ValidateOnStart();
        services.AddSingleton<ConversationLog>();
    }
}
