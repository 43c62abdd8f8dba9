Feature: The acquirer's subscription to Klarna's webhooks
  Whoever does not hear that a payment request has ended cannot finish the payment.

  @AP-19
  Scenario: The acquirer hears of every state change
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the acquirer is subscribed to the state changes of payment requests
