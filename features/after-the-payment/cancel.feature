@cancel
Feature: The Partner cancels
  The customer is still with Klarna, and the Partner calls the payment off: the goods are gone, the shop
  closes. Nothing may come of the purchase any more.

  @AP-30
  Scenario: While the customer is in a step-up
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the Partner cancels the payment
    Then the acquirer responds that the cancel is done
    And Klarna has canceled the payment request
    And the acquirer tells the Partner that the payment is canceled
    And the acquirer makes no final authorize

  @AP-30 @AP-38 @timing.retry_within_ms
  Scenario: Klarna in trouble is asked again
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And Klarna will meet the cancel with status 503
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the Partner cancels the payment
    Then the acquirer repeats the cancel with the same key and body
    And Klarna has canceled the payment request
