using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Interactive;

/// <summary>Puts <see cref="ChatOptions"/> into a container; dashboards and consumers both do.</summary>
public static class ChatOptionsServices
{
    /// <summary>Adds the options, checked at the start.</summary>
    public static IServiceCollection AddChatOptions(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ChatOptions>, ChatOptionsRanges>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ChatOptions>, ChatOptionsRules>());
        services.AddOptions<ChatOptions>().BindConfiguration(ChatOptions.SectionName).ValidateOnStart();
        return services;
    }
}
