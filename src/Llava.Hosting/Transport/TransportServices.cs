using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Transport;

/// <summary>Puts the transport into a container.</summary>
public static class TransportServices
{
    /// <summary>
    /// Adds the bus that <see cref="TransportOptions"/> choose. Call it after those that take messages: hosted services
    /// stop in reverse, so that the bus drains while workers still hold their leases.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configuration">Where the options stand; the kind must be known before the container is built.</param>
    public static IServiceCollection AddLlavaTransport(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<TransportOptions>, TransportOptionsRanges>();
        services.AddSingleton<IValidateOptions<TransportOptions>, TransportOptionsRules>();
        services.AddOptions<TransportOptions>().Bind(configuration.GetSection(TransportOptions.SectionName)).ValidateOnStart();
        var chosen = configuration.GetSection(TransportOptions.SectionName).Get<TransportOptions>() ?? new();
        services.Configure<MassTransitHostOptions>(host =>
        {
            host.WaitUntilStarted = true;
            host.ConsumerStopTimeout = chosen.Drain;
            host.StopTimeout = chosen.Drain + TimeSpan.FromSeconds(10);
        });

        // From the bare options: the host asks for its own before the check that names all findings at once.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = chosen.Drain + TimeSpan.FromSeconds(15));
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.ConfigureHealthCheckOptions(health => health.Name = "broker");
            if (chosen.Kind == TransportKind.RabbitMq)
            {
                bus.UsingRabbitMq((context, configurator) =>
                {
                    UseHost(configurator, chosen.RabbitMq);
                    ConfigureEndpoints(context, configurator);
                });
            }
            else
            {
                bus.UsingInMemory(ConfigureEndpoints);
            }
        });
        if (chosen.Kind == TransportKind.RabbitMq)
        {
            services.AddMassTransit<IOutgoingBus>(bus =>
            {
                bus.ConfigureHealthCheckOptions(health => health.Name = "broker-outgoing");
                bus.UsingRabbitMq((_, configurator) => UseHost(configurator, chosen.RabbitMq));
            });
        }

        services.AddSingleton(provider => new MessageSender(provider.GetService<IOutgoingBus>() ?? provider.GetRequiredService<IBus>(), chosen.SendTimeout));
        return services;
    }

    private static void UseHost(IRabbitMqBusFactoryConfigurator configurator, RabbitMqOptions options) =>
        configurator.Host(options.Host, (ushort)options.Port, options.VirtualHost, host =>
        {
            host.Username(options.Username);
            host.Password(options.PasswordFile is { } file ? File.ReadAllText(file).Trim() : "guest");
            host.PublisherConfirmation = true;
            host.Heartbeat(TimeSpan.FromSeconds(10));
        });

    private static void ConfigureEndpoints(IBusRegistrationContext context, IBusFactoryConfigurator bus)
    {
        foreach (var endpoints in context.GetServices<IReceiveEndpoints>())
        {
            endpoints.Configure(bus, context);
        }
    }
}
